// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "net/tls_context.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;

namespace {

std::string refusal(const std::string& path) {
    TlsOptions options;
    options.ca_file = path;
    try {
        net::TlsContext::make(options, Log{}, "shop");
    } catch (const Error& error) {
        CHECK(error.name() == "TLS-OPTION-ERROR");
        return std::string{error.message()};
    }
    return {};
}

}  // namespace

TEST_CASE("files of TLS options that never end are refused at once", "[net][tls]") {
    const test::TempDir dir;
    const std::string pipe = std::string{dir.path()} + "/pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(refusal(pipe).find("no regular file") != std::string::npos);
    CHECK(refusal("/dev/zero").find("no regular file") != std::string::npos);
    CHECK(refusal(std::string{dir.path()}).find("Is a directory") != std::string::npos);
    CHECK(refusal(std::string{dir.path()} + "/none").find("No such file") != std::string::npos);
}

TEST_CASE("a file of TLS options is not read when it is too large", "[net][tls]") {
    const test::TempDir dir;
    const std::string path = std::string{dir.path()} + "/large";
    std::ofstream{path} << "x";
    REQUIRE(::truncate(path.c_str(), ::off_t{1} << 40) == 0);  // a hole: it takes no room
    CHECK(refusal(path).find("larger than 16 MiB") != std::string::npos);
}
