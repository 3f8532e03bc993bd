# Helpers that declare the project's targets with one set of flags.

add_library(hysteron_flags INTERFACE)
target_compile_options(hysteron_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                                -Wno-psabi
                                                -Wno-restrict)  # GCC bug 105329: false for std::string operator+
# False for fmt's format specs, where fmt's assertions are on and everything is inlined.
target_compile_options(hysteron_flags INTERFACE $<$<CONFIG:Release>:-Wno-stringop-overflow -Wno-maybe-uninitialized>)
if(HYSTERON_WARNINGS_AS_ERRORS)
  target_compile_options(hysteron_flags INTERFACE -Werror)
endif()
if(HYSTERON_SANITIZE)
  target_compile_options(hysteron_flags INTERFACE -fsanitize=${HYSTERON_SANITIZE} -fno-omit-frame-pointer
                                                  -Wno-maybe-uninitialized)  # false with sanitizers, as GCC says
  target_link_options(hysteron_flags INTERFACE -fsanitize=${HYSTERON_SANITIZE})
endif()

# hysteron_module(NAME [DEPS module...] [LIBS target...]): the library of src/NAME with its public headers in
# include/hysteron/NAME.
function(hysteron_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  if(NOT sources)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cpp "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cpp)
  endif()
  add_library(hysteron_${name} STATIC ${sources})
  set_target_properties(hysteron_${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(hysteron_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include
                                              PRIVATE ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM ARG_DEPS PREPEND hysteron_)
  target_link_libraries(hysteron_${name} PUBLIC ${ARG_DEPS} ${ARG_LIBS} PRIVATE hysteron_flags)
endfunction()

# hysteron_test(NAME): the test program of tests/NAME, linked with module NAME.
function(hysteron_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(${name}_test PRIVATE HYSTERON_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name}_test PRIVATE ${ARGN} hysteron_flags GTest::gtest_main)
  gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
endfunction()

# hysteron_embed(NAME FOLDER): compiles the files of FOLDER and its subfolders into module NAME.
function(hysteron_embed name folder)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${folder}/*.toml ${folder}/*.spice)
  set(output ${PROJECT_BINARY_DIR}/embedded_${name}.cpp)
  add_custom_command(OUTPUT ${output}
                     COMMAND ${CMAKE_COMMAND} "-DFILES=${files}" -DOUTPUT=${output}
                             -P ${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake
                     DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake
                     VERBATIM)
  target_sources(hysteron_${name} PRIVATE ${output})
endfunction()
