// SPDX-License-Identifier: Apache-2.0
#include "core/state_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

#include "base/json.hpp"
#include "core/file_replacement.hpp"
#include "core/load.hpp"
#include "core/settings.hpp"
#include "net/unique_fd.hpp"

namespace qconn::core {
namespace {

constexpr int k_version = 1;
const std::array<std::pair<const char*, std::optional<Map> Overrides::*>, 2> k_maps{
    {{"tags", &Overrides::tags}, {"monitoring", &Overrides::monitoring}}};
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
int read_all(const std::string& path, std::string& text) {
    const net::UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return errno;
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

}  // namespace

void StateFile::tell(LogLevel level, std::string_view event, const std::string& text) const {
    log_.write({level, {}, event, text, {{"file", path_}}});
}

bool StateFile::read() {
    std::string text;
    if (const int error = read_all(path_, text); error != 0) {
        if (error == ENOENT) return true;
        tell(LogLevel::error, "state-not-read", "operator settings in \"" + path_ + "\" cannot be read: " + system_text(error));
        return false;
    }
    std::string problem;
    if (Result<Value> decoded = json::decode(text); !decoded) {
        problem = std::string{decoded.error().message()};
    } else if (const Value& root = decoded.value(); !root.is_map() || !root["version"].is_integer() || !root["connections"].is_map()) {
        problem = "it has no \"version\" and \"connections\"";
    } else if (root["version"] != Value{k_version}) {
        tell(LogLevel::error, "state-not-read",
             "operator settings in \"" + path_ + "\" are of another version than this one (" + std::to_string(k_version) +
                 "): they are neither used nor changed");
        return false;
    } else {
        document_ = root.as_map();
        return true;
    }
    const std::string aside = path_ + ".bad";
    const bool moved = std::rename(path_.c_str(), aside.c_str()) == 0;
    tell(LogLevel::error, "state-broken",
         "operator settings in \"" + path_ + "\" cannot be understood (" + problem + "); " +
             (moved ? "the file is now \"" + aside + "\"" : "it cannot be renamed either: " + system_text(errno)));
    return moved;
}

std::vector<std::pair<std::string, KeptSettings::Settings>> StateFile::load() {
    std::vector<std::pair<std::string, KeptSettings::Settings>> all;
    try {
        read();
        const Value* connections = document_.find("connections");
        if (!connections) return all;
        for (const auto& [name, entry] : connections->as_map()) {
            KeptSettings::Settings settings;
            for (const Setting& setting : k_settings) {
                const Value& value = entry[setting.name];
                if (value.is_bool()) settings.flags |= (value.as_bool() ? unsigned{setting.flag} : 0U) | setting.by_code();
            }
            for (const auto& [key, member] : k_maps)
                if (entry[key].is_map()) settings.set.*member = entry[key].as_map();
            if (settings.flags != 0 || !settings.set.empty()) all.emplace_back(name, std::move(settings));
        }
    } catch (const std::exception& error) {
        tell(LogLevel::error, "state-not-read", "operator settings in \"" + path_ + "\" cannot be read: " + error.what());
    }
    return all;
}

template <class Change>
void StateFile::change(Change&& change) {
    std::string problem;
    try {
        const std::string path = real_path(path_);
        const net::UniqueFd lock = lock_directory(path);
        if (!read()) {
            problem = "what is there cannot be replaced";
        } else {
            const Map before = document_;
            document_.set("version", k_version);
            change(map_at(document_, "connections"));
            if (document_ == before) return;
            FileReplacement file{path};
            file.write(json::encode(Value{document_}, true, json::Unfit::as_text) + '\n');
            problem = file.commit();
        }
    } catch (const std::exception& error) { problem = error.what(); }
    if (!problem.empty())
        tell(LogLevel::error, "state-not-written",
             "operator settings cannot be written to \"" + path_ + "\" and are lost with this process: " + problem);
}

void StateFile::put(std::string_view name, const KeptSettings::Settings& settings) {
    change([&](Map& connections) {
        Map& entry = map_at(connections, name);
        for (const Setting& setting : k_settings)
            if (settings.flags & setting.by_code()) entry.set(setting.name, (settings.flags & setting.flag) != 0);
        for (const auto& [key, member] : k_maps) {
            if (const auto& map = settings.set.*member)
                entry.set(key, *map);
            else
                entry.erase(key);
        }
    });
}

void StateFile::erase(std::string_view name) {
    change([&](Map& connections) { connections.erase(name); });
}

}  // namespace qconn::core
