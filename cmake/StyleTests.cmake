# Format and lint as tests with the label `style`; `ctest -LE style` leaves them out. Needs clang-format, clang-tidy,
# shellcheck, flake8 and Python.

find_program(HYSTERON_CLANG_FORMAT clang-format REQUIRED)
find_program(HYSTERON_CLANG_TIDY clang-tidy REQUIRED)
find_program(HYSTERON_SHELLCHECK shellcheck REQUIRED)
find_program(HYSTERON_FLAKE8 flake8 REQUIRED)
find_program(HYSTERON_PYTHON python3 REQUIRED)

add_test(NAME style.format COMMAND ${PROJECT_SOURCE_DIR}/scripts/check_format.sh)

file(GLOB scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/scripts/*.sh)
add_test(NAME style.shell COMMAND ${HYSTERON_SHELLCHECK} --external-sources ${scripts} ${PROJECT_SOURCE_DIR}/.ci/run)
add_test(NAME style.python COMMAND ${HYSTERON_FLAKE8} scripts bench tests/scripts WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
set_tests_properties(style.format style.shell style.python PROPERTIES LABELS style)

# One test a file, so that CTest spreads them over the cores and names the file that fails. The target `lint` does the
# same ahead of the tests: a file that passed is not linted again.
file(GLOB sources CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/apps/*/*.cpp
     ${PROJECT_SOURCE_DIR}/src/*/*.cpp ${PROJECT_SOURCE_DIR}/tests/*/*_test.cpp)
if(TARGET hysteron_bench)
  file(GLOB benchmarks CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/bench/*.cpp)
  list(APPEND sources ${benchmarks})
endif()
foreach(source ${sources})
  add_test(NAME style.tidy/${source}
           COMMAND ${HYSTERON_PYTHON} ${PROJECT_SOURCE_DIR}/scripts/tidy.py ${PROJECT_BINARY_DIR}
                   ${PROJECT_SOURCE_DIR}/${source})
  set_tests_properties(style.tidy/${source} PROPERTIES LABELS style TIMEOUT 900)
endforeach()

set(lint_list ${PROJECT_BINARY_DIR}/lint.txt)
list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE lint_files)
list(JOIN lint_files "\n" lint_lines)
file(GENERATE OUTPUT ${lint_list} CONTENT "${lint_lines}\n")
include(ProcessorCount)
ProcessorCount(cores)
if(cores EQUAL 0)
  set(cores 1)
endif()
add_custom_target(lint
  COMMAND xargs -a ${lint_list} -d "\\n" -P ${cores} -n 1 ${HYSTERON_PYTHON} ${PROJECT_SOURCE_DIR}/scripts/tidy.py ${PROJECT_BINARY_DIR}
  COMMENT "Linting what changed since it last passed" USES_TERMINAL VERBATIM)
