// SPDX-License-Identifier: Apache-2.0
// file and dir.
#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include <qconn/file/file_client.hpp>

#include "file/storage.hpp"
#include "schemes/convert.hpp"
#include "schemes/file_location.hpp"
#include "schemes/schemes.hpp"

namespace qconn::schemes {
namespace {

const OptionTable<FileOptions>& table() {
    static const OptionTable<FileOptions> options = [] {
        OptionTable<FileOptions> all;
        {
            OptionSpec& spec = all.add("readonly", &FileOptions::read_only, OptionType::boolean,
                                       "Refuse every operation that would change something; the ping then does not ask for the right to write");
            spec.fallback = false;
            spec.example = true;
            spec.aliases = {"read_only"};
        }
        {
            OptionSpec& spec = all.add("confine", &FileOptions::confine, OptionType::boolean,
                                       "Refuse paths that lead out of the directory: absolute ones, \"..\", symbolic links");
            spec.fallback = false;
            spec.example = true;
        }
        {
            OptionSpec& spec = all.add("max_read_size", &FileOptions::max_read, OptionType::integer, "Largest file that is read into memory");
            spec.unit = Unit::bytes;
            spec.fallback = static_cast<unsigned long long>(FileOptions{}.max_read);
            spec.minimum = 0;
            spec.example = 1'000'000;
        }
        return all;
    }();
    return options;
}

FileOptions options_of(const ResolvedDefinition& definition) {
    FileOptions options;
    table().apply(definition.options, options);
    options.label = definition.name;
    options.path = file_location(definition.url);
    return options;
}

std::string human(std::uint64_t bytes) {
    constexpr std::array<const char*, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    auto size = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (size >= 1024 && unit + 1 < units.size()) {
        size /= 1024;
        ++unit;
    }
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), size < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", size, units[unit]);
    return text.data();
}

/// The directory is there and can be used, and how full its file system is.
PingEvidence ping(const FileOptions& options) {
    const file::Task task{options.label, options.path, "checking", {}};
    if (!options.path.starts_with('/')) throw file::directory_error(task, 0, "is no path of this system");
    file::check_directory(task, options);
    const FreeSpace space = file::free_space(task, options);
    PingEvidence evidence;
    evidence.text = options.path + (options.read_only ? ", can be entered" : ", can be written to");
    evidence.measures.push_back({PingMeasure::Kind::space_used, space.used_percent()});
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "; %.1f %% used of ", space.used_percent());
    evidence.text += text.data() + human(space.total);
    if (space.files > 0) {
        const double used = 100.0 * static_cast<double>(space.files - space.files_free) / static_cast<double>(space.files);
        evidence.measures.push_back({PingMeasure::Kind::inodes_used, used});
        std::snprintf(text.data(), text.size(), ", %.1f %% of its inodes", used);
        evidence.text += text.data();
    }
    return evidence;
}

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

/// The same for every client that moves files.
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

}  // namespace

Scheme file_scheme() {
    Scheme scheme;
    scheme.names = {"file", "dir"};
    scheme.family = "file";
    scheme.title = "Files";
    scheme.help =
        "Files under a directory of this machine. A ping looks whether the directory can be entered and, unless readonly, written to, and how full "
        "its file system is.";
    scheme.example_url = "file:///var/spool/orders";
    scheme.url_environment = true;
    scheme.options = table().specs();
    scheme.sharing = Sharing::parallel;
    scheme.standard_depth = PingDepth::full;
    scheme.clients = client_types<FileClient, FileTransferClient>({"FileClient", "FileTransferClient"});
    scheme.operations = file_operations();
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        const Url url = url_of(definition);
        if (url.host.empty() && url.path.empty())
            findings.error("url", "missing-path", "the URL has no path", "write " + definition.scheme() + ":///directory");
        if (url.username || url.password)
            findings.warning("url", "unused-option", "files of this machine need no log-in; the user information is part of nothing");
        if (is_windows_path(url.path)) findings.warning("url", "windows-path", "this is a path of Windows; this system has no drives");
    };
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<FileClient>(options_of(definition), runtime);
    };
    scheme.make_ping = [](const ResolvedDefinition& definition, PingDepth, const Runtime&) -> PingPlan {
        return BlockingPing{[options = options_of(definition)](Deadline) { return ping(options); }};
    };
    return scheme;
}

}  // namespace qconn::schemes
