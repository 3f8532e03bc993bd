# Helpers that declare the project's targets with one set of flags.

add_library(hysteron_flags INTERFACE)
target_compile_options(hysteron_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                                -Wno-psabi
                                                -Wno-restrict)  # GCC bug 105329: false for std::string operator+
# False for fmt's format specs, where fmt's assertions are on and everything is inlined, and for concatenated strings.
target_compile_options(hysteron_flags INTERFACE $<$<CONFIG:Release>:-Wno-stringop-overflow -Wno-maybe-uninitialized
                                                -Wno-array-bounds>)
if(HYSTERON_WARNINGS_AS_ERRORS)
  target_compile_options(hysteron_flags INTERFACE -Werror)
endif()
if(HYSTERON_SANITIZE)
  target_compile_options(hysteron_flags INTERFACE -fsanitize=${HYSTERON_SANITIZE} -fno-omit-frame-pointer
                                                  -Wno-maybe-uninitialized)  # false with sanitizers, as GCC says
  target_link_options(hysteron_flags INTERFACE -fsanitize=${HYSTERON_SANITIZE})
endif()

# hysteron_precompile(NAME HEADER... [OPTIONS option...] [LIBS target...]): a precompiled header that targets with the
# same options share by target_precompile_headers(... REUSE_FROM NAME).
function(hysteron_precompile name)
  cmake_parse_arguments(ARG "" "" "OPTIONS;LIBS" ${ARGN})
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/${name}.cpp)
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} hysteron_flags)
  target_precompile_headers(${name} PRIVATE ${ARG_UNPARSED_ARGUMENTS})
endfunction()

# hysteron_modules(FILE): a library for each module of FILE, lines "NAME: module...", linked with those modules and with
# the libraries in the variable NAME_libraries. HYSTERON_MODULES becomes the list of names.
function(hysteron_modules file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^[a-z]+:")
  foreach(line ${lines})
    string(REGEX MATCH "^([a-z]+): *(.*)$" matched "${line}")
    set(name ${CMAKE_MATCH_1})
    string(REPLACE " " ";" modules "${CMAKE_MATCH_2}")
    list(APPEND names ${name})
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
    add_library(hysteron_${name} STATIC ${sources})
    target_include_directories(hysteron_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    list(TRANSFORM modules PREPEND hysteron_)
    target_link_libraries(hysteron_${name} PUBLIC ${modules} ${${name}_libraries} PRIVATE hysteron_flags)
    if(name IN_LIST HYSTERON_NUMERIC_MODULES)
      target_compile_options(hysteron_${name} PRIVATE ${HYSTERON_NUMERIC_OPTIONS})
    elseif(name IN_LIST HYSTERON_COLD_MODULES)
      target_compile_options(hysteron_${name} PRIVATE ${HYSTERON_COLD_OPTIONS})
    endif()
    target_precompile_headers(hysteron_${name} REUSE_FROM hysteron_precompiled)
  endforeach()
  set(HYSTERON_MODULES ${names} PARENT_SCOPE)
endfunction()

# hysteron_test(NAME): the test program of tests/NAME, linked with module NAME.
function(hysteron_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_test PRIVATE HYSTERON_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name}_test PRIVATE ${ARGN} hysteron_flags GTest::gtest_main)
  target_compile_options(${name}_test PRIVATE ${HYSTERON_COLD_OPTIONS})
  target_precompile_headers(${name}_test REUSE_FROM hysteron_precompiled_tests)
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
