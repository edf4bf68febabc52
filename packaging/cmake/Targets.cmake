# mig_library(NAME [SMALL] SOURCES a.cpp … [USES folder …] [EXTERNAL target …])
#   The static library of one folder of src/. USES names folders (public: their headers appear in
#   ours); EXTERNAL names third-party targets (private: their headers stay in our .cpp files).
#   SMALL: what waits for people, and is compiled for size in a Release build.
function(mig_library name)
  cmake_parse_arguments(ARG "SMALL" "" "SOURCES;USES;EXTERNAL" ${ARGN})
  add_library(mig_${name} STATIC ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND mig_)
  target_link_libraries(mig_${name} PUBLIC mig_compile ${ARG_USES} PRIVATE ${ARG_EXTERNAL})
  if(ARG_SMALL)
    target_compile_options(mig_${name} PRIVATE $<$<CONFIG:Release>:-Os>)
  endif()
endfunction()

# mig_executable(NAME USES target …)
#   An executable at the top of the build folder, from the given libraries and object libraries.
#   With MIG_STATIC it is a static-pie: nothing is loaded at run time, and the kernel still places
#   it at random addresses, which matters for a root service that parses what the network sends.
function(mig_executable name)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  add_executable(${name})
  target_link_libraries(${name} PRIVATE ${ARG_USES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  if(MIG_STATIC)
    # glibc warns that getaddrinfo, dlopen and getpwnam need its shared objects at run time. They
    # do not: os/startup.h restricts name lookup to what is linked in, and we never load a library.
    target_link_options(${name} PRIVATE -static-pie -Wl,--no-warnings)
  endif()
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_link_options(${name} PRIVATE -s)
  endif()
endfunction()

# mig_test(FOLDER SOURCES a_test.cpp … [USES folder …] [EXTERNAL target …] [LABELS l …] [TIMEOUT seconds])
#   One Catch2 executable for the tests of a folder; each TEST_CASE becomes a ctest test.
#   The label `threads` is for tests in which threads meet: ThreadSanitizer runs these (the target
#   `threads` builds them). What a machine cannot run says so with MIG_SKIP of test/skip.h.
add_custom_target(threads)
function(mig_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;USES;EXTERNAL;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(test_${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND mig_)
  target_link_libraries(test_${name} PRIVATE mig_compile_test ${ARG_USES} ${ARG_EXTERNAL} mig_catch)
  # What tests share is included by its place in the tree: "test/temp_folder.h".
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(test_${name} PRIVATE
    MIG_SOURCE_DIR="${CMAKE_SOURCE_DIR}" MIG_BUILD_DIR="${CMAKE_BINARY_DIR}")
  catch_discover_tests(test_${name} TEST_PREFIX "${name}: "
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} SKIP_REGULAR_EXPRESSION "mig-test-skipped: " LABELS "${ARG_LABELS}")
  if("threads" IN_LIST ARG_LABELS)
    add_dependencies(threads test_${name})
  endif()
endfunction()

# mig_embed_sql(TARGET file.sql kConstantName)
#   Compiles an SQL file into the target, because the executable is one file: generates
#   "store/file_sql.h" with the constant mig::store::kConstantName.
function(mig_embed_sql target file constant)
  get_filename_component(stem ${file} NAME_WE)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/generated/store/${stem}_sql.h)
  add_custom_command(OUTPUT ${header}
    COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DOUT=${header}
      -DNAME=${constant} -P ${CMAKE_SOURCE_DIR}/packaging/cmake/EmbedSql.cmake
    DEPENDS ${file} ${CMAKE_SOURCE_DIR}/packaging/cmake/EmbedSql.cmake VERBATIM)
  target_sources(${target} PRIVATE ${header})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/generated)
endfunction()
