// SPDX-License-Identifier: Apache-2.0
// CPU time of a body of 1 KiB and of 1 MiB to a Value and back, against the trees of the libraries that a program would take: JSON against nlohmann,
// YAML against yaml-cpp, values of XML-RPC against pugixml, whose tree is walked and each text read, but no value made. All take turns; medians of 9.
#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/xml.hpp"
#include "base/yaml.hpp"
#include "benchmarks/measure.hpp"

namespace {

using namespace qconn;

constexpr int k_samples = 9;

/// Orders, as they come in messages.
Value orders(std::size_t count) {
    List all;
    for (std::size_t i = 0; i < count; ++i) {
        const auto n = static_cast<long long>(i);
        all.push_back(Map{{"id", 100'000 + n},
                          {"customer", "Müller & Söhne " + std::to_string(n % 97)},
                          {"paid", n % 3 == 0},
                          {"total", 19.99 + static_cast<double>(n) / 4},
                          {"note", nullptr},
                          {"lines", List{Map{{"sku", "A-" + std::to_string(n)}, {"count", n % 7}, {"text", "line \"one\" of an order"}},
                                         Map{{"sku", "B"}, {"count", 1}}}}});
    }
    return Map{{"orders", std::move(all)}};
}

std::size_t walk(const pugi::xml_node& node) {
    std::size_t bytes = 0;
    for (const auto& child : node.children())
        bytes += child.type() == pugi::node_element ? walk(child) : std::char_traits<char>::length(child.value());
    return bytes;
}

struct StringWriter final : pugi::xml_writer {
    std::string out;
    void write(const void* data, std::size_t size) override { out.append(static_cast<const char*>(data), size); }
};

/// One direction of one format. Both return something of the result, so that nothing is left out.
struct Case {
    const char* name;
    double aim;  // how many times faster
    std::function<std::size_t()> ours;
    std::function<std::size_t()> rival;
};

bool measure(const Case& one, const char* size, int repeats) {
    const auto time = [repeats](const std::function<std::size_t()>& work) {
        const double start = bench::thread_seconds();
        std::size_t sum = 0;
        for (int i = 0; i < repeats; ++i) sum += work();
        if (sum == 0) std::puts("nothing was done");
        return (bench::thread_seconds() - start) / repeats * 1e6;
    };
    std::vector<double> mine;
    std::vector<double> theirs;
    std::vector<double> ratios;
    time(one.ours);
    time(one.rival);
    for (int i = 0; i < k_samples; ++i) {
        mine.push_back(time(one.ours));
        theirs.push_back(time(one.rival));
        ratios.push_back(theirs.back() / mine.back());
    }
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    const double ratio = bench::median(theirs) / bench::median(mine);
    std::printf("codecs: %s of %s: %.1f us, rival %.1f us, %.2f times as fast (%.2f to %.2f; aim %.1f)\n", one.name, size, bench::median(mine),
                bench::median(theirs), ratio, *least, *most, one.aim);
    return ratio >= one.aim;
}

std::vector<Case> json_cases(const Value& value) {
    const auto text = std::make_shared<const std::string>(json::encode(value));
    const auto tree = std::make_shared<const nlohmann::json>(nlohmann::json::parse(*text));
    return {{"JSON to a value", 2.5, [=] { return json::decode(*text).value().size(); }, [=] { return nlohmann::json::parse(*text).size(); }},
            {"JSON from a value", 2.5, [&] { return json::encode(value).size(); }, [=] { return tree->dump().size(); }}};
}

std::vector<Case> yaml_cases(const Value& value) {
    const auto text = std::make_shared<const std::string>(yaml::encode(value));
    const YAML::Node nodes = YAML::Load(*text);
    return {{"YAML to a value", 1, [=] { return yaml::decode(*text).value().size(); }, [=] { return YAML::Load(*text).size(); }},
            {"YAML from a value", 1, [&] { return yaml::encode(value).size(); }, [=] { return YAML::Dump(nodes).size(); }}};
}

std::vector<Case> xml_rpc_cases(const Value& value) {
    const auto text = std::make_shared<const std::string>(xml::encode_rpc_value(value));
    const auto document = std::make_shared<pugi::xml_document>();
    document->load_string(text->c_str());
    return {{"XML-RPC to a value", 1, [=] { return xml::decode_rpc_value(*text).value().size(); },
             [=] {
                 pugi::xml_document read;
                 read.load_buffer(text->data(), text->size());
                 return walk(read);
             }},
            {"XML-RPC from a value", 1, [&] { return xml::encode_rpc_value(value).size(); },
             [=] {
                 StringWriter writer;
                 document->save(writer, "", pugi::format_raw);
                 return writer.out.size();
             }}};
}

/// In a process of its own, so that none works in a heap that another one has left scattered.
bool measure_apart(std::vector<Case> (*cases)(const Value&), const Value& value, const char* size, int repeats) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
        bool good = true;
        for (const Case& one : cases(value)) good = measure(one, size, repeats) && good;
        std::fflush(stdout);
        ::_exit(good ? 0 : 2);
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    return status == 0;
}

}  // namespace

int main() {
    bool good = true;
    for (const auto& [size, count, repeats] : {std::tuple{"1 KiB", 5U, 2000}, {"1 MiB", 5200U, 3}}) {
        const Value value = orders(count);
        std::printf("codecs: %s is %zu bytes of JSON, %zu of YAML, %zu of XML-RPC\n", size, json::encode(value).size(), yaml::encode(value).size(),
                    xml::encode_rpc_value(value).size());
        for (const auto cases : {json_cases, yaml_cases, xml_rpc_cases}) good = measure_apart(cases, value, size, repeats) && good;
    }
    return good ? 0 : 2;
}
