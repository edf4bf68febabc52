# Run as a script by mig_embed_sql(): writes the text of SQL file IN as constant NAME into header OUT.
file(READ "${IN}" text)
if(text MATCHES "\\)sql\"")
  message(FATAL_ERROR "${IN}: contains )sql\", the end of the literal that embeds it")
endif()
get_filename_component(file "${IN}" NAME)
file(WRITE "${OUT}" "// Generated from src/store/${file}; do not edit.
#pragma once
#include <string_view>

namespace mig::store {
inline constexpr std::string_view ${NAME} = R\"sql(${text})sql\";
}  // namespace mig::store
")
