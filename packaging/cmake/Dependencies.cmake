# Third-party libraries, each as one imported or interface target `dep_NAME`. Debian ships static
# archives for all of them except Paho MQTT C++ (see PahoMqttCpp.cmake).
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS headers)

if(MIG_STATIC)
  set(OPENSSL_USE_STATIC_LIBS ON)
  set(MIG_LIBRARY_SUFFIXES .a)
else()
  set(MIG_LIBRARY_SUFFIXES .so .a)
endif()
find_package(OpenSSL 3.0 REQUIRED)

# dep_library(NAME HEADER header LIBRARIES name …): finds the archive by file name, because several
# of these packages' own CMake files know only the shared library.
function(dep_library name)
  cmake_parse_arguments(ARG "" "HEADER" "LIBRARIES" ${ARGN})
  add_library(dep_${name} INTERFACE)
  find_path(DEP_${name}_INCLUDE ${ARG_HEADER} REQUIRED)
  set(CMAKE_FIND_LIBRARY_SUFFIXES ${MIG_LIBRARY_SUFFIXES})
  foreach(library ${ARG_LIBRARIES})
    find_library(DEP_${library}_LIBRARY ${library} REQUIRED)
    target_link_libraries(dep_${name} INTERFACE ${DEP_${library}_LIBRARY})
  endforeach()
  target_include_directories(dep_${name} SYSTEM INTERFACE ${DEP_${name}_INCLUDE})
  target_link_libraries(dep_${name} INTERFACE Threads::Threads)
endfunction()

dep_library(argon2  HEADER argon2.h          LIBRARIES argon2)
include(Argon2)
dep_library(sodium  HEADER sodium.h          LIBRARIES sodium)
dep_library(sqlite  HEADER sqlite3.h         LIBRARIES sqlite3)
dep_library(yaml    HEADER yaml-cpp/yaml.h   LIBRARIES yaml-cpp)
dep_library(re2     HEADER re2/re2.h         LIBRARIES re2)
dep_library(seccomp HEADER seccomp.h         LIBRARIES seccomp)
dep_library(zlib    HEADER zlib.h            LIBRARIES z)
dep_library(bzip2   HEADER bzlib.h           LIBRARIES bz2)
dep_library(lzma    HEADER lzma.h            LIBRARIES lzma)
dep_library(zstd    HEADER zstd.h            LIBRARIES zstd)
dep_library(cli11   HEADER CLI/CLI.hpp)
target_link_libraries(dep_sqlite INTERFACE ${CMAKE_DL_LIBS})

add_library(dep_openssl INTERFACE)
target_link_libraries(dep_openssl INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads
  ${CMAKE_DL_LIBS})

include(PahoMqttCpp)

# Boost is header-only here; its heavy parts are compiled once (separate compilation).
add_library(dep_json STATIC ${CMAKE_SOURCE_DIR}/packaging/cmake/boost_json.cpp)
target_link_libraries(dep_json PUBLIC Boost::headers)
add_library(dep_asio STATIC ${CMAKE_SOURCE_DIR}/packaging/cmake/boost_asio.cpp)
target_compile_definitions(dep_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(dep_asio PUBLIC Boost::headers dep_openssl Threads::Threads)

add_library(mig_catch INTERFACE)
if(MIG_TESTS)
  find_package(Catch2 2.13 REQUIRED)
  include(Catch)
  target_link_libraries(mig_catch INTERFACE Catch2::Catch2WithMain)
endif()
