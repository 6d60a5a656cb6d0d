// SPDX-License-Identifier: Apache-2.0
/// A real TELNET server, and a device that can be strange.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <qconn/telnet/telnet_client.hpp>

#include "support/error_of.hpp"
#include "support/server.hpp"
#include "support/text.hpp"

namespace qconn::test {

/// telnetd of GNU inetutils with the system's login, shared by all tests of the program.
Server& telnetd();
inline constexpr std::string_view k_telnet_user = "qconntelnet";

/// Where a device is reached.
struct Device {
    std::uint16_t port{0};
    std::string address() const { return "127.0.0.1:" + std::to_string(port); }
};
/// The device of tests/servers/device.sh with these words; one for each set of words is shared.
Device device(const std::string& words = {});

TelnetOptions telnet_options(std::uint16_t port, std::string_view user = k_user);
inline TelnetOptions telnet_options(const Server& server, std::string_view user = k_user) { return telnet_options(server.port(), user); }
inline TelnetOptions telnet_options(const Device& one) { return telnet_options(one.port); }

inline bool says(const Error& error, std::string_view words) { return std::string_view{error.what()}.find(words) != std::string_view::npos; }

}  // namespace qconn::test
