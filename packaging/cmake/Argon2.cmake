# libargon2 for whole static executables. libsodium carries a copy of the same reference code under
# the same internal names, so that the two archives cannot be linked together as they are (and must
# not be mixed: their structures differ). Here the archive becomes one object in which everything but
# the functions that we call is local.
if(NOT MIG_STATIC)
  return()
endif()

find_program(MIG_LD ld REQUIRED)
set(argon2_object ${CMAKE_BINARY_DIR}/argon2_alone.o)
add_custom_command(
  OUTPUT ${argon2_object}
  COMMAND ${MIG_LD} -r --whole-archive ${DEP_argon2_LIBRARY} -o ${argon2_object}
  COMMAND ${CMAKE_OBJCOPY} --keep-global-symbol=argon2id_ctx
    --keep-global-symbol=argon2_error_message ${argon2_object}
  DEPENDS ${DEP_argon2_LIBRARY}
  COMMENT "Keeping libargon2's names from libsodium's"
  VERBATIM)
add_library(argon2_alone STATIC ${argon2_object})
set_target_properties(argon2_alone PROPERTIES LINKER_LANGUAGE CXX)
set_property(TARGET dep_argon2 PROPERTY INTERFACE_LINK_LIBRARIES
  argon2_alone Threads::Threads)
