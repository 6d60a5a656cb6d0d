// SPDX-License-Identifier: Apache-2.0
#include "core/state_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <system_error>
#include <utility>

#include "base/json.hpp"
#include "core/file_replacement.hpp"
#include "core/load.hpp"
#include "core/settings.hpp"
#include "core/silence_form.hpp"
#include "net/unique_fd.hpp"

namespace qconn::core {
namespace {

constexpr int k_version = 1;
constexpr std::size_t k_most_bytes = 64U << 20U;

std::string system_text(int error) { return std::generic_category().message(error); }

std::string directory_of(const std::string& path) {
    const std::string directory = split_path(path).first;
    return directory.empty() ? "." : directory;
}

/// Holds off other programs that write into the directory by this class. Where the file system has no locks there is none.
net::UniqueFd lock_directory(const std::string& path) {
    net::UniqueFd directory{::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory.get() >= 0) {
        while (::flock(directory.get(), LOCK_EX) != 0 && errno == EINTR) {}
    }
    return directory;
}

/// @returns errno; 0 where all was read
int read_all(const std::string& path, std::string& text, FileStamp& stamp) {
    const net::UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return errno;
    stamp = FileStamp::of(status);
    if (!S_ISREG(status.st_mode)) return EINVAL;
    std::array<char, 16 * 1024> part{};
    for (;;) {
        const ssize_t got = ::read(file.get(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        text.append(part.data(), static_cast<std::size_t>(got));
        if (text.size() > k_most_bytes) return EFBIG;
    }
}

/// A map at a name, made where there is none.
Map& map_at(Map& map, std::string_view name) {
    if (Value* found = map.find(name); found && found->is_map()) return found->as_map();
    map.set(std::string{name}, Map{});
    return map.find(name)->as_map();
}

/// What a document says of all connections.
const Map& connections_of(const Map& document) {
    static const Map none;
    const Value* found = document.find("connections");
    return found && found->is_map() ? found->as_map() : none;
}

KeptSettings::Settings settings_of(const Value& entry) {
    KeptSettings::Settings settings;
    for (const Setting& setting : k_settings) {
        const Value& value = entry[setting.name];
        if (value.is_bool()) settings.flags |= (value.as_bool() ? unsigned{setting.flag} : 0U) | setting.by_code();
    }
    for (const auto& [name, member] : k_overrides)
        if (entry[name].is_map()) settings.set.*member = entry[name].as_map();
    return settings;
}

/// The other way round, as it is read back.
Map entry_of(const KeptSettings::Settings& settings) {
    Map entry;
    for (const Setting& setting : k_settings)
        if (settings.flags & setting.by_code()) entry.set(setting.name, (settings.flags & setting.flag) != 0);
    for (const auto& [name, member] : k_overrides)
        if (const auto& map = settings.set.*member) entry.set(name, *map);
    Result<Value> read = json::decode(json::encode(Value{entry}, false, json::Unfit::as_text));
    return read ? std::move(read.value().as_map()) : entry;
}

void set_or_erase(Map& map, std::string_view key, const Value* value) {
    if (value)
        map.set(key, *value);
    else
        map.erase(key);
}

void drop_if_empty(Map& connections, std::string_view name) {
    if (const Value* entry = connections.find(name); entry && entry->is_map() && entry->as_map().empty()) connections.erase(name);
}

/// Silences that are over leave the file with whatever is written next.
void drop_ended(Map& connections) {
    const auto now = std::chrono::system_clock::now();
    std::vector<std::string> names;
    for (auto& [name, entry] : connections) {
        if (!entry.is_map() || !entry["silence"].is_map()) continue;
        const auto silence = silence_of(entry["silence"].as_map());
        if (!silence || !silence->is_over(now)) continue;
        entry.as_map().erase("silence");
        names.push_back(name);
    }
    for (const std::string& name : names) drop_if_empty(connections, name);
}

StateFile::Changes changes_between(const Map& before, const Map& after) {
    StateFile::Changes changes;
    for (const auto& [name, entry] : after) {
        const Value* former = before.find(name);
        if (!former || *former != entry) changes.push_back({name, former ? settings_of(*former) : KeptSettings::Settings{}, settings_of(entry)});
    }
    for (const auto& [name, entry] : before)
        if (!after.contains(name)) changes.push_back({name, settings_of(entry), {}});
    return changes;
}

}  // namespace

void StateFile::tell(LogLevel level, std::string_view event, const std::string& text) const {
    log_.write({level, {}, event, text, {{"file", path_}}});
}

StateFile::Content StateFile::read() const {
    using Kind = Content::Kind;
    Content content;
    std::string text;
    if (const int error = read_all(path_, text, content.stamp); error != 0) {
        if (error == ENOENT) return content;
        content.kind = Kind::closed;
        content.problem = "cannot be read: " + system_text(error);
        return content;
    }
    content.kind = Kind::broken;
    if (Result<Value> decoded = json::decode(text); !decoded) {
        content.problem = "cannot be understood (" + std::string{decoded.error().message()} + ")";
    } else if (Value& root = decoded.value(); !root.is_map() || !root["version"].is_integer() || !root["connections"].is_map()) {
        content.problem = "cannot be understood (it has no \"version\" and \"connections\")";
    } else if (root["version"] != Value{k_version}) {
        content.kind = Kind::closed;
        content.problem = "are of another version than this one (" + std::to_string(k_version) + "): they are neither used nor changed";
    } else {
        content.kind = Kind::good;
        content.document = std::move(root.as_map());
    }
    return content;
}

bool StateFile::read_to_replace(Map& document) {
    Content content = read();
    switch (content.kind) {
        case Content::Kind::good: document = std::move(content.document); return true;
        case Content::Kind::absent: document = document_; return true;
        case Content::Kind::closed:
            tell(LogLevel::error, "state-not-read", "operator settings in \"" + path_ + "\" " + content.problem);
            return false;
        case Content::Kind::broken: break;
    }
    const std::string aside = path_ + ".bad";
    const bool moved = std::rename(path_.c_str(), aside.c_str()) == 0;
    tell(LogLevel::error, "state-broken",
         "operator settings in \"" + path_ + "\" " + content.problem + "; " +
             (moved ? "the file is now \"" + aside + "\"" : "it cannot be renamed either: " + system_text(errno)));
    document = document_;
    return moved;
}

std::vector<std::pair<std::string, KeptSettings::Settings>> StateFile::load() {
    std::vector<std::pair<std::string, KeptSettings::Settings>> all;
    try {
        read_to_replace(document_);
        for (const auto& [name, entry] : connections_of(document_)) {
            KeptSettings::Settings settings = settings_of(entry);
            if (settings.flags != 0 || !settings.set.empty()) all.emplace_back(name, std::move(settings));
        }
    } catch (const std::exception& error) {
        tell(LogLevel::error, "state-not-read", "operator settings in \"" + path_ + "\" cannot be read: " + error.what());
    }
    return all;
}

StateFile::Changes StateFile::changed_by_others() {
    Changes changes;
    try {
        struct stat status {};
        if (::stat(path_.c_str(), &status) != 0) return changes;
        if (const FileStamp stamp = FileStamp::of(status); stamp == stamp_ && stamp.is_settled()) return changes;
        Content content = read();
        const bool is_new = std::exchange(stamp_, content.stamp) != content.stamp;
        if (content.kind == Content::Kind::good) {
            changes = changes_between(connections_of(document_), connections_of(content.document));
            document_ = std::move(content.document);
        } else if (is_new && content.kind != Content::Kind::absent) {
            tell(LogLevel::error, "state-not-read",
                 "operator settings in \"" + path_ + "\" have changed, and " + content.problem + "; those from before hold");
        }
    } catch (const std::exception& error) {
        tell(LogLevel::error, "state-not-read", "operator settings in \"" + path_ + "\" cannot be read: " + error.what());
    }
    return changes;
}

template <class Edit>
StateFile::Changes StateFile::change(Edit&& edit) {
    Changes changes;
    std::string problem;
    try {
        const std::string path = real_path(path_);
        const net::UniqueFd lock = lock_directory(path);
        Map found;
        if (!read_to_replace(found)) {
            problem = "what is there cannot be replaced";
        } else {
            Map known = document_;  // as it would be if nobody else had been at the file
            Map document = found;
            document.set("version", k_version);
            edit(map_at(known, "connections"), map_at(document, "connections"));
            if (connections_of(document) != connections_of(found)) {
                drop_ended(map_at(known, "connections"));
                drop_ended(map_at(document, "connections"));
                FileReplacement file{path};
                file.write(json::encode(Value{document}, true, json::Unfit::as_text) + '\n');
                problem = file.commit();
                if (struct stat status{}; problem.empty() && ::stat(path.c_str(), &status) == 0) stamp_ = FileStamp::of(status);
            }
            changes = changes_between(connections_of(known), connections_of(document));
            // What could not be written is still to be.
            document_ = problem.empty() ? std::move(document) : std::move(found);
        }
    } catch (const std::exception& error) { problem = error.what(); }
    if (!problem.empty())
        tell(LogLevel::error, "state-not-written",
             "operator settings cannot be written to \"" + path_ + "\" and are lost with this process: " + problem);
    return changes;
}

StateFile::Changes StateFile::put(std::string_view name, const KeptSettings::Settings& settings) {
    return change([&](Map& known, Map& connections) {
        const Map entry = entry_of(settings);
        Map& before = map_at(known, name);
        Map& after = map_at(connections, name);
        const auto follow = [&](const char* key) {
            const Value* value = entry.find(key);
            const Value* former = before.find(key);
            if (value && former ? *value == *former : value == former) return;  // not set by this program: others may have
            set_or_erase(before, key, value);
            set_or_erase(after, key, value);
        };
        for (const Setting& setting : k_settings)
            if (entry.contains(setting.name)) follow(setting.name);
        for (const Override& one : k_overrides) follow(one.name);
        drop_if_empty(known, name);
        drop_if_empty(connections, name);
    });
}

StateFile::Changes StateFile::erase(std::string_view name) {
    return change([&](Map& known, Map& connections) {
        known.erase(name);
        connections.erase(name);
    });
}

}  // namespace qconn::core
