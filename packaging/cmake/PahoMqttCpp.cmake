# dep_paho: Paho MQTT C++ 1.2.0 over Paho MQTT C, both as archives, with TLS.
#
# Debian has the C library as an archive but the C++ one only as a shared library, so we compile
# the upstream tarball that Debian's source package carries. It is fetched once by
# packaging/fetch-paho.sh, kept outside the build folder in MIG_CACHE, and checked at every
# configure; after that no network is needed. Upstream's own CMake files are not used: they find
# only the shared C library.
if(DEFINED ENV{MIG_CACHE})
  set(mig_cache_default $ENV{MIG_CACHE})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(mig_cache_default $ENV{XDG_CACHE_HOME}/mig)
else()
  set(mig_cache_default $ENV{HOME}/.cache/mig)
endif()
set(MIG_CACHE ${mig_cache_default} CACHE PATH "Where fetched third-party sources are kept")

# Name and digest stand in the script, which checks the file it finds (7 ms) or fetches it.
execute_process(COMMAND ${CMAKE_SOURCE_DIR}/packaging/fetch-paho.sh ${MIG_CACHE}
  RESULT_VARIABLE paho_status OUTPUT_VARIABLE paho_tarball OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT paho_status EQUAL 0)
  message(FATAL_ERROR "Paho MQTT C++ is missing; packaging/fetch-paho.sh says above why and what "
    "to do. Another folder for fetched sources: -DMIG_CACHE=… or the environment's MIG_CACHE.")
endif()

# Unpacked anew when the stamp is missing, so that an interrupted configure never leaves half a tree
# behind.
set(paho_folder ${CMAKE_BINARY_DIR}/third_party/paho.mqtt.cpp-1.2.0)
set(paho_stamp ${paho_folder}/.unpacked)
if(NOT EXISTS ${paho_stamp})
  file(REMOVE_RECURSE ${paho_folder})
  file(ARCHIVE_EXTRACT INPUT ${paho_tarball} DESTINATION ${CMAKE_BINARY_DIR}/third_party)
  file(TOUCH ${paho_stamp})
endif()

set(paho_sources async_client client connect_options create_options disconnect_options
  iclient_persistence message properties response_options ssl_options string_collection
  subscribe_options token topic will_options)
list(TRANSFORM paho_sources REPLACE "(.+)" "${paho_folder}/src/\\1.cpp")

find_path(PAHO_C_INCLUDE MQTTAsync.h REQUIRED)
find_library(PAHO_C_ARCHIVE NAMES libpaho-mqtt3as.a REQUIRED)
add_library(dep_paho_c STATIC IMPORTED)
set_target_properties(dep_paho_c PROPERTIES IMPORTED_LOCATION ${PAHO_C_ARCHIVE})
target_include_directories(dep_paho_c SYSTEM INTERFACE ${PAHO_C_INCLUDE})
# On the archive itself, or the linker would meet OpenSSL before it meets what needs it.
target_link_libraries(dep_paho_c INTERFACE dep_openssl)

add_library(dep_paho STATIC ${paho_sources})
target_include_directories(dep_paho SYSTEM PUBLIC ${paho_folder}/src)
target_compile_definitions(dep_paho PUBLIC OPENSSL)
target_compile_options(dep_paho PRIVATE -w)
target_link_libraries(dep_paho PUBLIC dep_paho_c Threads::Threads)
