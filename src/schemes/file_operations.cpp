// SPDX-License-Identifier: Apache-2.0
#include "schemes/file_operations.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <utility>

#include <qconn/file/file_transfer_client.hpp>
#include <qconn/file/transfer.hpp>
#include <qconn/file/tree.hpp>

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
    if (word == "in_place") return WriteMode::in_place;
    throw make_error(Errc::invalid_argument, "the mode of a write is replace, create, append or in_place");
}

bool is_true(const Map& given, std::string_view name) {
    const Value* value = given.find(name);
    return value != nullptr && value->is_bool() && value->as_bool();
}

/// The last part of a path; the other side's default.
std::string name_in(const std::string& path) {
    std::string_view name = path;
    while (name.ends_with('/')) name.remove_suffix(1);
    return std::string{name.substr(name.rfind('/') + 1)};
}

/// Where a file comes to here: under its own name where a directory is named.
std::string local_target(const std::string& file, const std::string& path) {
    std::error_code unknown;
    if (file.empty() || file.ends_with('/') || std::filesystem::is_directory(file, unknown))
        return (std::filesystem::path{file} / name_in(path)).string();
    return file;
}

/// And where it comes to there. What is a directory there, only the '/' at the end tells without asking.
std::string remote_target(const std::string& path, const std::string& file) {
    return path.empty() || path.ends_with('/') ? path + name_in(file) : path;
}

FileCopyOptions copy_options(const Map& given) {
    FileCopyOptions options;
    options.resume = is_true(given, "resume");
    if (is_true(given, "verify")) options.verify = Verify::content;
    return options;
}

TreeOptions tree_options(const Map& given) {
    TreeOptions options;
    options.copy = copy_options(given);
    options.pattern = text_argument(given, "pattern");
    options.only_changed = is_true(given, "only_changed");
    options.remove_others = is_true(given, "mirror");
    options.go_on = is_true(given, "go_on");
    return options;
}

Value value_of(const TreeReport& report) {
    Map map{{"files", static_cast<unsigned long long>(report.files)},
            {"bytes", static_cast<unsigned long long>(report.bytes)},
            {"directories", static_cast<unsigned long long>(report.directories)},
            {"unchanged", static_cast<unsigned long long>(report.unchanged)},
            {"skipped", static_cast<unsigned long long>(report.skipped)},
            {"removed", static_cast<unsigned long long>(report.removed)}};
    if (report.failures.empty()) return map;
    List failures;
    for (const TreeFailure& one : report.failures) failures.push_back(Map{{"path", one.path}, {"error", one.error.what()}});
    map.set("failures", std::move(failures));
    return map;
}

/// With go_on a tree comes to its end whatever happens to its files.
std::string tree_failure(const Value& result) {
    const Value& failures = result["failures"];
    if (!failures.is_list() || failures.as_list().empty()) return {};
    const List& all = failures.as_list();
    std::string text = all.size() == 1 ? "one was not carried: " : std::to_string(all.size()) + " were not carried; the first: ";
    return text.append(all.front()["path"].as_string()).append(": ").append(all.front()["error"].as_string());
}

OperationSpec tree(OperationSpec operation) {
    operation.failure = tree_failure;
    return operation;
}

/// The other side is standard input or output: nothing that could be gone on with, or read once more.
bool is_standard(const std::string& file, const Map& given) {
    if (file != "-") return false;
    if (is_true(given, "resume") || is_true(given, "verify"))
        throw make_error(Errc::invalid_argument, "resume and verify are for files, and '-' is standard input or output");
    return true;
}

[[noreturn]] void refused(const char* what) { throw make_error(Errc::system, what + std::generic_category().message(errno)); }

std::uint64_t get_to_output(FileTransferClient& client, const std::string& path, Deadline deadline) {
    const auto sink = function_sink([](std::string_view bytes) {
        if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) refused("writing to standard output failed: ");
    });
    const std::uint64_t bytes = client.get(path, *sink, {}, deadline);
    if (std::fflush(stdout) != 0) refused("writing to standard output failed: ");
    return bytes;
}

std::uint64_t put_from_input(FileTransferClient& client, const std::string& path, Deadline deadline) {
    if (path.empty() || path.ends_with('/'))
        throw make_error(Errc::invalid_argument, "what comes from standard input has no name: give the path of the file");
    const auto source = function_source([](char* to, std::size_t most) {
        const std::size_t n = std::fread(to, 1, most, stdin);
        if (n == 0 && std::ferror(stdin) != 0) refused("reading standard input failed: ");
        return n;
    });
    return client.put(path, *source, {}, deadline);
}

/// Those of single files, and of trees.
std::vector<Argument> copy_fields(bool tree) {
    std::vector<Argument> fields{{"resume", OptionType::boolean, false, "go on with parts of earlier transfers"},
                                 {"verify", OptionType::boolean, false, "compare the contents of both sides afterwards"}};
    if (!tree) return fields;
    fields.push_back({"pattern", OptionType::string, false, "shell glob for the names of files"});
    fields.push_back({"only_changed", OptionType::boolean, false, "leave files alone whose copy has the same size and time"});
    fields.push_back({"go_on", OptionType::boolean, false, "carry what can be carried; the result has the failures"});
    fields.push_back({"mirror", OptionType::boolean, false, "remove what the copy has and the original has not"});
    return fields;
}

std::vector<OperationSpec> copy_operations() {
    const auto text = text_argument;
    const Argument there{"path", OptionType::string, true, "in the directory of the connection"};
    const Argument folder{"path", OptionType::string, false, "a directory; default: that of the connection"};
    return {
        operation("get", "Fetch a file; its name here appears once it is whole",
                  {there,
                   {"file", OptionType::string, false,
                    "of this machine, or a directory; default: the same name in the current one; -: standard output", true}},
                  copy_fields(false),
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      const std::string path = text(given, "path");
                      const std::string file = text(given, "file");
                      const std::uint64_t bytes = is_standard(file, given)
                                                      ? get_to_output(client, path, deadline)
                                                      : get_file(client, path, local_target(file, path), copy_options(given), deadline);
                      return Value{Map{{"bytes", static_cast<unsigned long long>(bytes)}}};
                  }),
        operation(
            "put", "Send a file; its name there appears once it is whole",
            {{"file", OptionType::string, true, "of this machine; -: standard input"},
             {"path", OptionType::string, false, "in the directory of the connection, or one in it with '/' at its end; default: the same name"}},
            copy_fields(false),
            [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                const std::string file = text(given, "file");
                const std::string path = text(given, "path");
                const std::uint64_t bytes = is_standard(file, given)
                                                ? put_from_input(client, path, deadline)
                                                : put_file(client, file, remote_target(path, file), copy_options(given), deadline);
                return Value{Map{{"bytes", static_cast<unsigned long long>(bytes)}}};
            }),
        tree(operation("get_tree", "Fetch a directory with all that is in it", {{"directory", OptionType::string, true, "of this machine"}, folder},
                       copy_fields(true),
                       [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                           return value_of(get_tree(client, text(given, "path"), text(given, "directory"), tree_options(given), deadline));
                       })),
        tree(operation("put_tree", "Send a directory with all that is in it", {{"directory", OptionType::string, true, "of this machine"}, folder},
                       copy_fields(true),
                       [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                           return value_of(put_tree(client, text(given, "directory"), text(given, "path"), tree_options(given), deadline));
                       })),
        operation("remove_tree", "Remove a directory with all that is in it", {there}, {},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      const std::uint64_t removed = remove_tree(client, text(given, "path"), deadline);
                      return Value{Map{{"removed", static_cast<unsigned long long>(removed)}}};
                  }),
        operation("sha256", "SHA-256 of the contents of a file", {there}, {},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      return Value{sha256_of(client, text(given, "path"), deadline)};
                  }),
    };
}

}  // namespace

std::vector<OperationSpec> file_operations() {
    const Argument path{"path", OptionType::string, true, "in the directory of the connection"};
    const Argument folder{"path", OptionType::string, false, "a directory; default: that of the connection"};
    const auto text = text_argument;
    std::vector<OperationSpec> operations{
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
                  {{"mode", OptionType::string, false, "replace (default), create, append or in_place"}},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      client.write(text(given, "path"), text(given, "data"), write_mode(text(given, "mode")), deadline);
                      return Value{};
                  }),
        operation("move", "Rename or move a file", {{"from", OptionType::string, true, ""}, {"to", OptionType::string, true, ""}},
                  {{"overwrite", OptionType::boolean, false, "replace a file that is there"}},
                  [text](FileTransferClient& client, const Map& given, Deadline deadline) {
                      client.move(text(given, "from"), text(given, "to"), is_true(given, "overwrite"), deadline);
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
    for (OperationSpec& one : copy_operations()) operations.push_back(std::move(one));
    return operations;
}

}  // namespace qconn::schemes
