// SPDX-License-Identifier: Apache-2.0
#include "schemes/file_operations.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

#include <qconn/file/file_transfer_client.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {
namespace {

Value value_of(const FileInfo& info) {
    Map map{{"name", info.name}, {"type", to_string(info.type)}, {"size", static_cast<unsigned long long>(info.size)}};
    if (info.modified) {
        const auto since = info.modified->time_since_epoch();
        const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
        Timestamp time;
        time.seconds = seconds.count();
        time.nanoseconds = static_cast<std::uint32_t>(std::chrono::nanoseconds{since - seconds}.count());
        map.set("modified", time);
    }
    if (info.mode) {
        std::array<char, 16> octal{};
        std::snprintf(octal.data(), octal.size(), "%04o", *info.mode);
        map.set("mode", Value{octal.data()});
    }
    if (info.uid) map.set("uid", *info.uid);
    if (info.gid) map.set("gid", *info.gid);
    if (info.target) map.set("target", *info.target);
    return map;
}

using Argument = OperationSpec::Argument;

OperationSpec operation(std::string name, std::string help, std::vector<Argument> arguments, std::vector<Argument> fields,
                        std::function<Value(FileTransferClient&, const Map&, Deadline)> run) {
    OperationSpec spec;
    spec.name = std::move(name);
    spec.help = std::move(help);
    spec.arguments = std::move(arguments);
    spec.fields = std::move(fields);
    spec.run = [run = std::move(run)](Client& client, const Map& given, Deadline deadline) {
        return run(dynamic_cast<FileTransferClient&>(client), given, deadline);
    };
    return spec;
}

WriteMode write_mode(const std::string& word) {
    if (word.empty() || word == "replace") return WriteMode::replace;
    if (word == "create") return WriteMode::create;
    if (word == "append") return WriteMode::append;
    throw make_error(Errc::invalid_argument, "the mode of a write is replace, create or append");
}

}  // namespace

std::vector<OperationSpec> file_operations() {
    const Argument path{"path", OptionType::string, true, "in the directory of the connection"};
    const Argument folder{"path", OptionType::string, false, "a directory; default: that of the connection"};
    const auto text = text_argument;
    return {
        operation("list", "Entries of a directory", {folder}, {{"pattern", OptionType::string, false, "shell glob for the names"}},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      List all;
                      for (const auto& info : client.list(text(given, "path"), text(given, "pattern"), deadline)) all.push_back(value_of(info));
                      return Value{std::move(all)};
                  }),
        operation(
            "stat", "What is known of a file", {path}, {},
            [text](FileTransferClient& client, const Map& given, Deadline deadline) { return value_of(client.stat(text(given, "path"), deadline)); }),
        operation("read", "The contents of a file", {path}, {},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      return text_or_bytes(client.read(text(given, "path"), deadline));
                  }),
        operation("write", "Write a file", {path, {"data", OptionType::data, true, "the new contents"}},
                  {{"mode", OptionType::string, false, "replace (default), create or append"}},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      client.write(text(given, "path"), text(given, "data"), write_mode(text(given, "mode")), deadline);
                      return Value{};
                  }),
        operation("move", "Rename or move a file", {{"from", OptionType::string, true, ""}, {"to", OptionType::string, true, ""}},
                  {{"overwrite", OptionType::boolean, false, "replace a file that is there"}},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      const Value* overwrite = given.find("overwrite");
                      client.move(text(given, "from"), text(given, "to"), overwrite != nullptr && overwrite->is_bool() && overwrite->as_bool(),
                                  deadline);
                      return Value{};
                  }),
        operation("remove", "Remove a file, a link or an empty directory", {path}, {},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      client.remove(text(given, "path"), deadline);
                      return Value{};
                  }),
        operation("mkdir", "Make a directory with those on the way to it", {path}, {},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      client.make_directory(text(given, "path"), deadline);
                      return Value{};
                  }),
        operation("space", "Free space of the file system", {}, {},
                  [](FileTransferClient& client, const Map&, Deadline deadline) {
                      const FreeSpace space = client.free_space(deadline);
                      return Value{Map{{"total", static_cast<unsigned long long>(space.total)},
                                       {"available", static_cast<unsigned long long>(space.available)},
                                       {"files", static_cast<unsigned long long>(space.files)},
                                       {"files_free", static_cast<unsigned long long>(space.files_free)},
                                       {"used_percent", space.used_percent()}}};
                  }),
    };
}

}  // namespace qconn::schemes
