# Run as a script: writes OUTPUT, a C++ source that holds the bytes of FILES (a list of paths) by file name.
set(body "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(MAKE_C_IDENTIFIER ${name} identifier)
  string(APPEND arrays "const char ${identifier}[] = {${bytes}};\n")
  string(APPEND body "      {\"${name}\", {${identifier}, sizeof ${identifier}}},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from technologies/.
#include \"technology/embedded.h\"

namespace hysteron::technology {
namespace {

${arrays}
}  // namespace

const std::map<std::string, std::string_view>& embedded_files() {
  static const std::map<std::string, std::string_view> files = {
${body}  };
  return files;
}

}  // namespace hysteron::technology
")
