// SPDX-License-Identifier: Apache-2.0
/// Which file makes which connection, which host it reaches by which way, and which interface of a program needs it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/monitor/interface.hpp>

namespace qconn::cli {

/// One way of a connection to one target; a connection whose URL names several has several.
struct Route {
    std::string connection;
    std::string status;  ///< "ok", "disabled", "stale", "invalid"
    std::string scheme;
    std::string file;
    /// "shop.example:443"; of files the path; of a URL that cannot be read what it says.
    std::string target;
    /// "socks5://proxy.example:1080"; empty: none.
    std::string proxy;
};

/// An interface of a program that needs a connection, could do without it, or offers it to others.
struct Use {
    enum class How { required, optional, offered };
    std::string interface;  ///< `service "orders"`
    std::string connection;
    How how{How::required};
};
std::vector<Use> uses_of(const std::vector<InterfaceInfo>& interfaces);

/// The ways of a connection, as far as its definition says.
std::vector<Route> routes_of(const ConnectionInfo& info, const Scheme* scheme);

/// In the language of Graphviz: interfaces, files, connections, proxies, targets.
std::string dot_text(const std::vector<Route>& routes, const std::vector<Use>& uses = {});

/// A quoted identifier of that language, which also shows as this text.
std::string dot_quoted(std::string_view text);

}  // namespace qconn::cli
