# How every target of ours is compiled: roombus_settings carries it.
add_library(roombus_settings INTERFACE)
target_compile_features(roombus_settings INTERFACE cxx_std_20)
set(warnings
  -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Wshadow
  # g++ 12 reports these two inside the standard library's own inlined code
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized$<SEMICOLON>-Wno-stringop-overflow>)
if(ROOMBUS_WERROR)
  list(APPEND warnings -Werror)
endif()
# not for those who use an installed roombus
target_compile_options(roombus_settings INTERFACE "$<BUILD_INTERFACE:${warnings}>")
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(ROOMBUS_SANITIZER)
  # not on the interface: the linker and every object must agree
  add_compile_options(-fsanitize=${ROOMBUS_SANITIZER} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ROOMBUS_SANITIZER})
  if(ROOMBUS_SANITIZER STREQUAL "undefined")
    add_compile_options(-fno-sanitize-recover=all)
  endif()
  if(ROOMBUS_SANITIZER STREQUAL "thread")
    add_compile_options(-Wno-tsan)
  endif()
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
