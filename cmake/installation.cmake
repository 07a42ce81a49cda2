# What `cmake --install --component embedding` puts in place: the libraries that roombus::roombus is made of, the headers
# that <roombus/roombus.hpp> reaches, and the package for find_package(roombus).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/roombus)

install(TARGETS roombus_embedded roombus_bridge roombus_codec roombus_core roombus_http roombus_loop roombus_memory
                roombus_paho roombus_settings roombus_socketio
  EXPORT roombus_targets
  COMPONENT embedding
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT roombus_targets NAMESPACE roombus:: FILE roombus-targets.cmake DESTINATION ${package_dir}
  COMPONENT embedding)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/roombus-config.cmake.in
  ${PROJECT_BINARY_DIR}/package/roombus-config.cmake INSTALL_DESTINATION ${package_dir})
# nothing is promised between minor versions before 1.0
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/roombus-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/roombus-config.cmake ${PROJECT_BINARY_DIR}/package/roombus-config-version.cmake
  DESTINATION ${package_dir} COMPONENT embedding)

install(CODE "
  set(SOURCE_ROOT [[${PROJECT_SOURCE_DIR}]])
  set(OUTPUT_ROOT [[${PROJECT_BINARY_DIR}/package/include]])
  include([[${CMAKE_CURRENT_LIST_DIR}/public_headers.cmake]])
  file(INSTALL \${OUTPUT_ROOT}/roombus DESTINATION \${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR})
" COMPONENT embedding)
