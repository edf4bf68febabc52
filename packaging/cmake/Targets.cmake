# mig_library(NAME SOURCES a.cpp … [USES folder …] [EXTERNAL target …])
#   The static library of one folder of src/. USES names folders (public: their headers appear in
#   ours); EXTERNAL names third-party targets (private: their headers stay in our .cpp files).
function(mig_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;EXTERNAL" ${ARGN})
  add_library(mig_${name} STATIC ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND mig_)
  target_link_libraries(mig_${name} PUBLIC mig_compile ${ARG_USES} PRIVATE ${ARG_EXTERNAL})
endfunction()

# mig_test(FOLDER SOURCES a_test.cpp … [USES folder …] [EXTERNAL target …] [LABELS l …])
#   One Catch2 executable for the tests of a folder; each TEST_CASE becomes a ctest test.
function(mig_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;EXTERNAL;LABELS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND mig_)
  target_link_libraries(test_${name} PRIVATE mig_compile ${ARG_USES} ${ARG_EXTERNAL} mig_catch)
  # What tests share is included by its place in the tree: "test/temp_folder.h".
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(test_${name} PRIVATE
    MIG_SOURCE_DIR="${CMAKE_SOURCE_DIR}" MIG_BUILD_DIR="${CMAKE_BINARY_DIR}")
  catch_discover_tests(test_${name} TEST_PREFIX "${name}: "
    PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 4 LABELS "${ARG_LABELS}")
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
