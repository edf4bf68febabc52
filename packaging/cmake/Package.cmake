# What is installed where, and the Debian package of it:
#   cmake --build --preset release --target mig
#   cpack -G DEB --config build/release/CPackConfig.cmake -B build/release/package
# All destinations are relative, so that one layout serves the package and `cmake --install`.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)   # the package needs the executable, not the tests

install(TARGETS mig RUNTIME DESTINATION bin)

# The roles that run as services, each under its own name, so that process lists tell them apart.
foreach(role agent relay scheduler api)
  set(link ${CMAKE_BINARY_DIR}/links/mig-${role})
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/links)
  file(CREATE_LINK ../bin/mig ${link} SYMBOLIC)
  install(FILES ${link} DESTINATION sbin)
  install(FILES ${CMAKE_SOURCE_DIR}/packaging/systemd/mig-${role}.service
    DESTINATION lib/systemd/system)
endforeach()

install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION share/doc/mig)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/debian/copyright DESTINATION share/doc/mig)
install(FILES ${CMAKE_SOURCE_DIR}/README.md DESTINATION share/doc/mig OPTIONAL)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/ DESTINATION share/doc/mig OPTIONAL
  FILES_MATCHING PATTERN "*.md")
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples/ DESTINATION share/doc/mig/examples OPTIONAL)

# The licences of these libraries ask that their notices travel with the executable (Boost's and
# GCC's run-time do not). They come from the machine that builds: those are the versions linked.
foreach(package libargon2-dev libbz2-dev libc6-dev libcli11-dev liblzma-dev libpaho-mqtt-dev libre2-dev
    libseccomp-dev libsodium-dev libsqlite3-dev libssl-dev libyaml-cpp-dev libzstd-dev zlib1g-dev)
  install(FILES /usr/share/doc/${package}/copyright DESTINATION share/doc/mig/third-party
    RENAME ${package}.copyright OPTIONAL)
endforeach()
install(FILES ${paho_folder}/about.html ${paho_folder}/edl-v10 ${paho_folder}/epl-v10
  ${paho_folder}/notice.html DESTINATION share/doc/mig/third-party/paho.mqtt.cpp)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mig)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The mig project <mig@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "question thousands of machines at once, by signed orders")
set(CPACK_PACKAGE_DESCRIPTION
"mig lets an investigator question, and where authorised act on, thousands of machines within
seconds. Only people give orders: an agent obeys what the people named in its policy have signed.
One static executable holds agent, relay, scheduler, API and client.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "")   # fully static
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/packaging/debian/postinst ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
  ${CMAKE_SOURCE_DIR}/packaging/debian/postrm)
include(CPack)
