# SPDX-License-Identifier: MIT
# The functions that folders use to declare themselves: tri_add_folders,
# tri_cold_sources, tri_test, tri_c_test, tri_command_test, tri_micro,
# tri_workload, tri_text and tri_example. tests/README.md and bench/README.md
# show their use.

# Adds each matching folder that has a CMakeLists.txt; a folder that appears
# later is noticed by the next build.
function(tri_add_folders)
  foreach(pattern ${ARGN})
    file(GLOB lists CONFIGURE_DEPENDS
      "${CMAKE_CURRENT_SOURCE_DIR}/${pattern}/CMakeLists.txt")
    foreach(list ${lists})
      get_filename_component(folder "${list}" DIRECTORY)
      add_subdirectory("${folder}")
    endforeach()
  endforeach()
endfunction()

# tri_cold_sources(source...): of the library, run when a runtime is made or
# when somebody looks (settings, validators, traces): small rather than quick,
# since the text of the smallest embedder holds them all.
function(tri_cold_sources)
  list(TRANSFORM ARGN PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  set_source_files_properties(${ARGN} TARGET_DIRECTORY tricolor PROPERTIES
    COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>")
endfunction()

# The label of a test is the folder under tests/ it lives in (unit, protocol,
# stress, death, embed, tidy), or the top folder (bench, examples).
function(tri_label out)
  file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  string(REGEX REPLACE "^tests/" "" path "${path}")
  string(REGEX REPLACE "/.*" "" path "${path}")
  set(${out} "${path}" PARENT_SCOPE)
endfunction()

# tri_test(component source...): the GoogleTest program test_<component>; ctest
# sees each of its cases as suite.case. Private headers may be included.
function(tri_test component)
  if(NOT GTest_FOUND)
    return()
  endif()
  set(target test_${component})
  add_executable(${target} ${ARGN})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE tricolor tri_test_support)
  tri_warnings(${target})
  if(TRI_PCH)
    target_precompile_headers(${target} PRIVATE <gtest/gtest.h>)
  endif()
  tri_label(label)
  gtest_discover_tests(${target}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${label}")
endfunction()

# tri_c_test(name source...): a C11 program, linked by the C compiler against
# the library's file, so that libstdc++ cannot slip in; ctest: embed.<name>.
function(tri_c_test name)
  set(target ctest_${name})
  add_executable(${target} ${ARGN})
  add_dependencies(${target} tricolor)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C
    BUILD_RPATH "$<TARGET_FILE_DIR:tricolor>")
  target_include_directories(${target} PRIVATE
    "${PROJECT_SOURCE_DIR}/include")
  target_compile_definitions(${target} PRIVATE
    $<TARGET_PROPERTY:tricolor,INTERFACE_COMPILE_DEFINITIONS>)
  target_link_libraries(${target} PRIVATE
    "$<TARGET_FILE:tricolor>" Threads::Threads)
  tri_warnings(${target})
  tri_command_test(embed.${name} $<TARGET_FILE:${target}>)
endfunction()

# tri_command_test(component.case command...): any command as a test.
function(tri_command_test name)
  if(NOT TRI_BUILD_TESTS)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${ARGN})
  tri_label(label)
  set_tests_properties(${name} PROPERTIES LABELS "${label}")
endfunction()

# tri_micro(name source...): the Google Benchmark program micro_<name>, run
# by `./dev bench`, and with --smoke as the test bench.micro_<name>_smoke.
function(tri_micro name)
  if(NOT TARGET tri_bench_support)
    return()
  endif()
  set(target micro_${name})
  add_executable(${target} ${ARGN})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE tricolor tri_bench_support)
  tri_warnings(${target})
  tri_command_test(bench.${target}_smoke $<TARGET_FILE:${target}> --smoke)
endfunction()

# tri_workload(name source...): the program bench_<name>, a whole workload of
# `./dev compare`; public API only. `bench_<name> --smoke` is a test.
function(tri_workload name)
  set(target bench_${name})
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE tricolor::tricolor)
  # As the peers are compiled; the library stays what users get.
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O3>)
  tri_warnings(${target})
  tri_command_test(bench.${name}_smoke $<TARGET_FILE:${target}> --smoke)
endfunction()

# tri_text(name source): the C program bench_<name>, and the same without the
# library as bench_<name>_none, both fully static: the difference of their text
# is what the library adds. Built by name alone: not every system has a static
# C library.
function(tri_text name source)
  if(BUILD_SHARED_LIBS)
    return()
  endif()
  foreach(target bench_${name} bench_${name}_none)
    add_executable(${target} EXCLUDE_FROM_ALL ${source})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
    target_link_options(${target} PRIVATE -static)
    target_link_libraries(${target} PRIVATE Threads::Threads)
    tri_warnings(${target})
  endforeach()
  target_compile_definitions(bench_${name}_none PRIVATE WITHOUT_LIBRARY)
  add_dependencies(bench_${name} tricolor)
  target_include_directories(bench_${name} PRIVATE
    "${PROJECT_SOURCE_DIR}/include")
  target_compile_definitions(bench_${name} PRIVATE
    $<TARGET_PROPERTY:tricolor,INTERFACE_COMPILE_DEFINITIONS>)
  target_link_libraries(bench_${name} PRIVATE "$<TARGET_FILE:tricolor>")
endfunction()

# tri_example(name source...): the program <name>, public API only.
function(tri_example name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE tricolor::tricolor)
  tri_warnings(${name})
endfunction()
