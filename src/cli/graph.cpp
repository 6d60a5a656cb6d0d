// SPDX-License-Identifier: Apache-2.0
#include "cli/graph.hpp"

#include <set>

#include <qconn/base/error.hpp>
#include <qconn/base/url.hpp>
#include <qconn/net/endpoint.hpp>

#include "cli/describe.hpp"
#include "cli/output.hpp"

namespace qconn::cli {
namespace {

std::string with_port(const std::string& host, std::uint16_t port) {
    const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == 0 ? shown : shown + ":" + std::to_string(port);
}

std::string_view kind_word(Proxy::Kind kind) noexcept {
    switch (kind) {
        case Proxy::Kind::http: return "http";
        case Proxy::Kind::https: return "https";
        case Proxy::Kind::socks4: return "socks4";
        case Proxy::Kind::socks4a: return "socks4a";
        case Proxy::Kind::socks5: return "socks5";
        case Proxy::Kind::socks5h: return "socks5h";
    }
    return "";
}

/// @param options  as shown: masked
std::string proxy_text(const Map& options, const std::string& host, std::uint16_t port) {
    const Value* given = options.find("proxy");
    if (given == nullptr || !given->is_string() || given->size() == 0) {
        const Value* environment = options.find("proxy_from_environment");
        return environment != nullptr && environment->is_bool() && environment->as_bool() ? "as the environment says" : "";
    }
    try {
        Proxy proxy = Proxy::parse(given->as_string());
        if (const Value* except = options.find("no_proxy"); except != nullptr && except->is_list()) {
            for (const Value& one : except->as_list())
                if (one.is_string()) proxy.except.emplace_back(one.as_string());
        }
        return proxy.is_for(host, port) ? std::string{kind_word(proxy.kind)} + "://" + with_port(proxy.host, proxy.port) : std::string{};
    } catch (const Error&) { return std::string{given->as_string()}; }  // a secret reference, or a mistake that check tells
}

constexpr std::string_view k_head = R"(digraph qconn {
  rankdir=LR;
  node [fontname="sans-serif"];
)";

/// Nodes of one kind; what is the same text has one node.
class Nodes {
public:
    Nodes(std::string_view kind, std::string_view attributes) : kind_{kind}, attributes_{attributes} {}
    /// Adds it, and gives its name.
    std::string name(std::string& out, const std::string& label, std::string_view further = {}) {
        const std::string id = dot_quoted(std::string{kind_} + " " + label);
        if (seen_.insert(label).second) ((((out += "  " + id + " [label=" + dot_quoted(label) + ", ") += attributes_) += further) += "];\n");
        return id;
    }

private:
    std::string_view kind_;
    std::string_view attributes_;
    std::set<std::string> seen_;
};

std::string_view attributes_of(std::string_view status) {
    if (status == "disabled") return ", style=dashed";
    if (status == "invalid") return ", color=red";
    return status == "stale" ? ", color=orange" : "";
}

}  // namespace

std::vector<Route> routes_of(const ConnectionInfo& info, const Scheme* scheme) {
    std::vector<Route> routes;
    for (const std::string_view part : split_urls(info.url)) {
        Route route{info.name, std::string{status_word(info)}, info.scheme, info.file, std::string{part}, {}};
        if (const auto parsed = Url::try_parse(part); parsed.has_value()) {
            const Url& url = parsed.value();
            std::uint16_t port = url.port.value_or(0);
            if (port == 0 && scheme != nullptr)
                if (const auto known = scheme->default_ports.find(url.scheme); known != scheme->default_ports.end()) port = known->second;
            const bool is_path = scheme != nullptr && scheme->family == "file";  // host and path together are the directory
            if (is_path && !url.host.empty())
                route.target = "/" + url.host + url.path;
            else if (url.is_socket || url.host.empty())
                route.target = url.is_socket ? url.host : url.path;
            else
                route.target = with_port(url.host, port);
            if (!is_path && !url.is_socket && !url.host.empty()) route.proxy = proxy_text(info.options, url.host, port);
        }
        routes.push_back(std::move(route));
    }
    return routes;
}

std::vector<Use> uses_of(const std::vector<InterfaceInfo>& interfaces) {
    std::vector<Use> uses;
    for (const InterfaceInfo& one : interfaces) {
        const std::string name = to_string(InterfaceKey{one.kind, one.name});
        for (const std::string& connection : one.connections) uses.push_back({name, connection, Use::How::required});
        for (const std::string& connection : one.optional) uses.push_back({name, connection, Use::How::optional});
        for (const std::string& connection : one.provides) uses.push_back({name, connection, Use::How::offered});
    }
    return uses;
}

std::string dot_quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : printable(text)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

std::string dot_text(const std::vector<Route>& routes, const std::vector<Use>& uses) {
    std::string nodes;
    std::set<std::string> edges;
    Nodes files{"file", "shape=note"};
    Nodes connections{"connection", "shape=box"};
    Nodes proxies{"proxy", "shape=diamond"};
    Nodes targets{"target", "shape=ellipse"};
    Nodes interfaces{"interface", "shape=component"};
    std::set<std::string> known;
    for (const Route& one : routes) {
        const std::string connection = connections.name(nodes, one.connection, attributes_of(one.status));
        known.insert(one.connection);
        if (!one.file.empty()) edges.insert("  " + files.name(nodes, one.file) + " -> " + connection + ";\n");
        const std::string target = targets.name(nodes, one.target);
        const std::string label = " [label=" + dot_quoted(one.scheme) + "];\n";
        if (one.proxy.empty()) {
            edges.insert("  " + connection + " -> " + target + label);
            continue;
        }
        const std::string proxy = proxies.name(nodes, one.proxy);
        edges.insert("  " + connection + " -> " + proxy + label);
        edges.insert("  " + proxy + " -> " + target + ";\n");
    }
    for (const Use& one : uses) {
        if (known.count(one.connection) == 0) continue;
        const std::string interface = interfaces.name(nodes, one.interface);
        const std::string connection = connections.name(nodes, one.connection);
        if (one.how == Use::How::offered)
            edges.insert("  " + connection + " -> " + interface + " [label=\"offered by\"];\n");
        else
            edges.insert("  " + interface + " -> " + connection + (one.how == Use::How::optional ? " [style=dashed];\n" : ";\n"));
    }
    std::string text{k_head};
    text += nodes;
    for (const std::string& edge : edges) text += edge;
    return text += "}\n";
}

}  // namespace qconn::cli
