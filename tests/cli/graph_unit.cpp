// SPDX-License-Identifier: Apache-2.0
// Routes of connections and their picture.
#include "cli/graph.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::cli;

namespace {

ConnectionInfo info(std::string url, Map options = {}) {
    ConnectionInfo one;
    one.name = "shop";
    one.url = std::move(url);
    one.scheme = one.url.substr(0, one.url.find(':'));
    one.file = "a.yaml";
    one.options = std::move(options);
    return one;
}

std::vector<std::string> routes(const ConnectionInfo& one) {
    Scheme scheme;
    scheme.default_ports = {{"rest", 80}, {"rests", 443}};
    std::vector<std::string> texts;
    if (one.scheme == "file") scheme.family = "file";
    for (const Route& route : routes_of(one, &scheme)) texts.push_back(route.target + (route.proxy.empty() ? "" : " by " + route.proxy));
    return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a target is host and port, the default one too, or the path of files", "[cli]") {
    CHECK(routes(info("rests://edi:<masked>@shop.example/api")) == Texts{"shop.example:443"});
    CHECK(routes(info("rest://shop.example:8080")) == Texts{"shop.example:8080"});
    CHECK(routes(info("rest://[::1]/")) == Texts{"[::1]:80"});
    CHECK(routes(info("file:///var/in")) == Texts{"/var/in"});
    CHECK(routes(info("file://var/in")) == Texts{"/var/in"});
    CHECK(routes(info("rest://a/|rest://b/")) == Texts{"a:80", "b:80"});
}

TEST_CASE("a proxy is on the way unless the target is excepted", "[cli]") {
    CHECK(routes(info("rest://a/", {{"proxy", "socks5h://edi:<masked>@p.example"}})) == Texts{"a:80 by socks5h://p.example:1080"});
    CHECK(routes(info("rest://a/", {{"proxy", "p.example:3128"}, {"no_proxy", List{"b", "a"}}})) == Texts{"a:80"});
    CHECK(routes(info("rest://a/", {{"proxy", nullptr}, {"proxy_from_environment", true}})) == Texts{"a:80 by as the environment says"});
    CHECK(routes(info("rest://a/", {{"proxy", nullptr}, {"proxy_from_environment", false}})) == Texts{"a:80"});
    CHECK(routes(info("rest://a/", {{"proxy", "${env:PROXY}"}})) == Texts{"a:80 by ${env:PROXY}"});
}

TEST_CASE("the picture has each node once and nothing in a name breaks out of its quotes", "[cli]") {
    CHECK(dot_quoted("a\"b\\n\n<x>") == "\"a\\\"b\\\\n\\\\x0a<x>\"");
    const std::string text = dot_text({{"a", "ok", "rest", "f.yaml", "h:80", {}}, {"b\"", "invalid", "rest", "f.yaml", "h:80", "http://p:80"}});
    const auto count = [&](std::string_view part) {
        std::size_t n = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
        return n;
    };

    CHECK(count("\"target h:80\" [label=\"h:80\"") == 1);
    CHECK(count("\"file f.yaml\" -> ") == 2);
    CHECK(count("\"connection a\" -> \"target h:80\" [label=\"rest\"];") == 1);
    CHECK(count("\"connection b\\\"\" -> \"proxy http://p:80\"") == 1);
    CHECK(count("\"proxy http://p:80\" -> \"target h:80\"") == 1);
    CHECK(count("color=red") == 1);
}

TEST_CASE("the picture has the interfaces that need a connection, could do without, or offer it", "[cli]") {
    InterfaceInfo orders;
    orders.name = "orders";
    orders.connections = {"a", "unknown"};
    orders.optional = {"b"};
    InterfaceInfo gate;
    gate.kind = InterfaceKind::job;
    gate.name = "gate";
    gate.provides = {"a"};

    const std::string text = dot_text({{"a", "ok", "rest", "", "h:80", {}}, {"b", "ok", "rest", "", "h:80", {}}}, uses_of({orders, gate}));

    INFO(text);
    CHECK(text.find(R"("interface service \"orders\"" -> "connection a";)") != std::string::npos);
    CHECK(text.find(R"("interface service \"orders\"" -> "connection b" [style=dashed];)") != std::string::npos);
    CHECK(text.find(R"("connection a" -> "interface job \"gate\"" [label="offered by"];)") != std::string::npos);
    CHECK(text.find("unknown") == std::string::npos);
}
