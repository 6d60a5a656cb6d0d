// SPDX-License-Identifier: Apache-2.0
/// Which file makes which connection, and which host it reaches by which way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>

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

/// The ways of a connection, as far as its definition says.
std::vector<Route> routes_of(const ConnectionInfo& info, const Scheme* scheme);

/// In the language of Graphviz: files, connections, proxies, targets.
std::string dot_text(const std::vector<Route>& routes);

/// A quoted identifier of that language, which also shows as this text.
std::string dot_quoted(std::string_view text);

}  // namespace qconn::cli
