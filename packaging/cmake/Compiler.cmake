# How our own code is compiled. Everything is attached to the interface target `mig_compile`, so
# that third-party sources are not held to our warnings.
add_library(mig_compile INTERFACE)
target_include_directories(mig_compile INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(mig_compile INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wno-missing-field-initializers)

# GCC 12 reports false positives deep inside std::string and Boost at -O2.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(mig_compile INTERFACE
    -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
    -Wno-dangling-pointer -Wno-stringop-overread -Wno-mismatched-new-delete)
  # Asio has fences, which ThreadSanitizer does not see; its queues also have mutexes, which it does.
  if(MIG_SANITIZE MATCHES "thread")
    target_compile_options(mig_compile INTERFACE -Wno-tsan)
  endif()
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
# Not optimised: the sanitizers' instrumentation makes optimising take as long again as compiling
# (http_server.cpp: 69 s at -O1, 38 s at -O0), and their tests spend their time waiting.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1 -fno-omit-frame-pointer")
add_compile_options(-ffunction-sections -fdata-sections -fstack-protector-strong)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
add_link_options(-Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack)
if(MIG_STATIC)
  # The start code of a static executable that moves itself reads packed relocations too (glibc
  # 2.36): 0.8 MB less.
  add_link_options(-Wl,-z,pack-relative-relocs)
endif()

if(MIG_SANITIZE)
  add_compile_options(-fsanitize=${MIG_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MIG_SANITIZE})
endif()
if(MIG_FUZZ)
  # Asio's coroutines trip clang 14's function sanitizer.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=function
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined -fno-sanitize=function)
endif()

find_program(MIG_CCACHE ccache)
if(MIG_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MIG_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${MIG_CCACHE})
endif()

# For the sources of tests: what is tested is built as it ships, what tests it runs once, and
# compiles in half the time unoptimised.
add_library(mig_compile_test INTERFACE)
target_link_libraries(mig_compile_test INTERFACE mig_compile)
target_compile_options(mig_compile_test INTERFACE
  $<$<CONFIG:Release>:-O0> $<$<CONFIG:Release>:-U_FORTIFY_SOURCE>)
