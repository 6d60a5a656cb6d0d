// SPDX-License-Identifier: Apache-2.0
// Prints, for a validator that is not ours, JSON Schemas and the documents that they have to judge: that of the tests' catalogue with
// DIRECTORY/good and DIRECTORY/bad, and that of the built-in one with DIRECTORY/manual and what it does not know of DIRECTORY/good.
//   schema_documents DIRECTORY
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

#include "base/json.hpp"
#include "base/yaml.hpp"
#include "unit/core/test_catalogue.hpp"

namespace {

/// The documents of a directory; where a catalogue is given, only those whose scheme it knows, or only the others.
qconn::List documents(const std::filesystem::path& directory, const qconn::Catalogue* catalogue = nullptr, bool known = true) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{directory}) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    qconn::List out;
    for (const auto& file : files) {
        std::ifstream in{file, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        if (catalogue && (catalogue->find(qconn::parse_definitions(text, {}).definitions.at(0).scheme()) != nullptr) != known) continue;
        for (const auto& document : qconn::yaml::parse(text).documents)
            out.push_back(qconn::Map{{"file", file.filename().string()}, {"document", qconn::yaml::to_value(*document.root)}});
    }
    return out;
}

qconn::Value suite(const qconn::Catalogue& catalogue, qconn::List good, qconn::List bad) {
    return qconn::Map{{"schema", qconn::json::decode(catalogue.json_schema()).value()}, {"good", std::move(good)}, {"bad", std::move(bad)}};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: schema_documents DIRECTORY\n";
        return 2;
    }
    const std::filesystem::path directory{argv[1]};
    const auto& builtin = qconn::builtin_catalogue();
    // What the tests' catalogue alone knows the built-in one has to refuse, as those of the manual that it does not know yet.
    qconn::List unknown = documents(directory / "manual", &builtin, false);
    for (qconn::Value& one : documents(directory / "good", &builtin, false)) unknown.push_back(std::move(one));
    std::cout << qconn::json::encode(qconn::List{
                     suite(test::catalogue(), documents(directory / "good"), documents(directory / "bad")),
                     suite(builtin, documents(directory / "manual", &builtin, true), std::move(unknown)),
                 })
              << "\n";
    return 0;
}
