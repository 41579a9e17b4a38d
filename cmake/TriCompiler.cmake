# SPDX-License-Identifier: MIT
# Compiler settings: language levels, build types, warnings, sanitizers, and
# what the library itself is compiled with. Included once from the top.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
  endif()
  # -g1 keeps line numbers in backtraces and costs no run time.
  foreach(lang C CXX ASM)
    set(CMAKE_${lang}_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
    if(TRI_SANITIZE)
      set(CMAKE_${lang}_FLAGS_DEBUG "-O1 -g1")
    else()
      set(CMAKE_${lang}_FLAGS_DEBUG "-Og -g")
    endif()
  endforeach()
  find_program(TRI_CCACHE ccache)
  mark_as_advanced(TRI_CCACHE)
  if(TRI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER "${TRI_CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${TRI_CCACHE}")
  endif()
endif()

if(TRI_SANITIZE)
  # vptr needs RTTI, which the library is compiled without.
  set(tri_sanitize_flags "-fsanitize=${TRI_SANITIZE}")
  if(TRI_SANITIZE MATCHES "undefined")
    list(APPEND tri_sanitize_flags -fno-sanitize=vptr
      -fno-sanitize-recover=all)
  endif()
  add_compile_options(${tri_sanitize_flags} -fno-omit-frame-pointer)
  add_link_options(${tri_sanitize_flags})
endif()

# Warnings for everything that is ours.
function(tri_warnings target)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra>
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>)
  if(TRI_WERROR)
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:C,CXX>:-Werror>)
  endif()
endfunction()

# The library: no exceptions, no RTTI, TLS in the static block, and frame
# pointers so that stacks of tasks can be walked.
function(tri_library_options target)
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:include>
    PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions;-fno-rtti>
    $<$<COMPILE_LANGUAGE:C,CXX>:-fno-plt;-ftls-model=initial-exec>
    $<$<COMPILE_LANGUAGE:C,CXX>:-fno-omit-frame-pointer>)
  target_link_libraries(${target} PUBLIC Threads::Threads)
  if(TRI_ENABLE_CHECKS)
    # Public: what inline paths check must agree on both sides.
    target_compile_definitions(${target} PUBLIC TRI_ENABLE_CHECKS=1)
  endif()
  tri_warnings(${target})
endfunction()
