# The parts Arc is built from (docs: README "Parts"). Arrow and DuckDB come from tools/setup.sh; the rest from the system.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(GTest REQUIRED)
find_package(Boost 1.81 REQUIRED)

add_library(arc_flags INTERFACE)
target_compile_options(arc_flags INTERFACE -Wall -Wextra -Werror -march=${ARC_MARCH} -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12 calls what it has marked deprecated itself, in std::stable_sort; g++ does not report its own headers.
  target_compile_options(arc_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(ARC_SANITIZE)
  target_compile_options(arc_flags INTERFACE -fsanitize=${ARC_SANITIZE} -fno-sanitize-recover=undefined)
  target_link_options(arc_flags INTERFACE -fsanitize=${ARC_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 sees values as uninitialized through the sanitizer's own code, even inside <regex>; the other builds warn.
    target_compile_options(arc_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
target_include_directories(arc_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_definitions(arc_flags INTERFACE ARC_VERSION="${PROJECT_VERSION}")
target_link_libraries(arc_flags INTERFACE Threads::Threads)
# Arrow's libraries export the symbols of the simdjson inside them, another version than ours. The loader takes the first
# library that has a name, so ours has to be named before theirs (docs/decisions/0004).
target_link_options(arc_flags INTERFACE "SHELL:-Wl,--no-as-needed -lsimdjson -Wl,--as-needed")

# The program's allocator: Arc allocates on one thread what another frees, for every request. Not under the sanitizers, which
# bring their own. Nothing refers to it by name, hence --no-as-needed.
add_library(arc_allocator INTERFACE)
if(NOT ARC_SANITIZE)
  target_link_options(arc_allocator INTERFACE "SHELL:-Wl,--no-as-needed -lmimalloc -Wl,--as-needed")
endif()

# Arrow C++ and Parquet: the pyarrow wheel's headers and shared libraries.
set(ARC_ARROW_DIR "${ARC_DEPS_DIR}/arrow")
function(arc_imported_library target file)
  add_library(${target} SHARED IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${file}" INTERFACE_INCLUDE_DIRECTORIES "${ARGN}")
endfunction()
arc_imported_library(arrow "${ARC_ARROW_DIR}/lib/libarrow.so.2600" "${ARC_ARROW_DIR}/include")
arc_imported_library(arrow_compute "${ARC_ARROW_DIR}/lib/libarrow_compute.so.2600" "${ARC_ARROW_DIR}/include")
arc_imported_library(arrow_s3 "${ARC_ARROW_DIR}/lib/libarrow_s3.so.2600" "${ARC_ARROW_DIR}/include")
arc_imported_library(parquet "${ARC_ARROW_DIR}/lib/libparquet.so.2600" "${ARC_ARROW_DIR}/include")
target_link_libraries(arrow_compute INTERFACE arrow)
target_link_libraries(arrow_s3 INTERFACE arrow)
target_link_libraries(parquet INTERFACE arrow)

# DuckDB: the prebuilt library and the headers of the very same release (internal headers included: never define DEBUG).
set(ARC_DUCKDB_DIR "${ARC_DEPS_DIR}/duckdb")
set(ARC_DUCKDB_INCLUDES "${ARC_DUCKDB_DIR}/src/include" "${ARC_DUCKDB_DIR}/extension/parquet/include")
foreach(dir thrift parquet fastpforlib utf8proc/include fmt/include re2 concurrentqueue pcg httplib)
  list(APPEND ARC_DUCKDB_INCLUDES "${ARC_DUCKDB_DIR}/third_party/${dir}")
endforeach()
arc_imported_library(duckdb "${ARC_DUCKDB_DIR}/lib/libduckdb.so" "${ARC_DUCKDB_INCLUDES}")

set(CMAKE_BUILD_RPATH "${ARC_ARROW_DIR}/lib;${ARC_DUCKDB_DIR}/lib")
