// SPDX-License-Identifier: Apache-2.0
// Prints, for a validator that is not ours, the JSON Schema of a catalogue and the documents that it has to judge.
//   schema_documents DIRECTORY    those of DIRECTORY/good and DIRECTORY/bad
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <qconn/core/scheme.hpp>

#include "base/json.hpp"
#include "base/yaml.hpp"
#include "unit/core/test_catalogue.hpp"

namespace {

qconn::List documents(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{directory}) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    qconn::List out;
    for (const auto& file : files) {
        std::ifstream in{file, std::ios::binary};
        const std::string text{std::istreambuf_iterator<char>{in}, {}};
        for (const auto& document : qconn::yaml::parse(text).documents)
            out.push_back(qconn::Map{{"file", file.filename().string()}, {"document", qconn::yaml::to_value(*document.root)}});
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: schema_documents DIRECTORY\n";
        return 2;
    }
    const std::filesystem::path directory{argv[1]};
    const auto schema = qconn::json::decode(test::catalogue().json_schema());
    std::cout << qconn::json::encode(
                     qconn::Map{{"schema", schema.value()}, {"good", documents(directory / "good")}, {"bad", documents(directory / "bad")}})
              << "\n";
    return 0;
}
