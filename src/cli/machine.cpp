// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.hpp"

#include <netdb.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>
#include <system_error>
#include <thread>

#include "cli/json.hpp"
#include "cli/live.hpp"

namespace qconn::cli {
namespace {

constexpr std::chrono::seconds k_patience{5};

std::string words_of(int code) { return std::generic_category().message(code); }

std::optional<std::uint64_t> number_in(const std::string& path) {
    const auto text = text_of(path);
    std::uint64_t number = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{}) return std::nullopt;
    return number;
}

/// "CET, UTC+01:00".
std::string zone_text(std::time_t now) {
    std::tm local{};
    ::localtime_r(&now, &local);
    const long minutes = std::labs(local.tm_gmtoff) / 60;
    std::array<char, 32> offset{};
    std::snprintf(offset.data(), offset.size(), ", UTC%c%02ld:%02ld", local.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return std::string{local.tm_zone} + offset.data();
}

/// A name of the zone database in TZ that is not there: the C library takes UTC without a word.
std::string unknown_zone() {
    const char* set = std::getenv("TZ");
    std::string zone = set != nullptr ? set : "";
    if (zone.starts_with(':')) zone.erase(0, 1);
    if (zone.find('/') == std::string::npos) return {};  // empty, or rules that stand for themselves
    const char* database = std::getenv("TZDIR");
    std::error_code ec;
    return std::filesystem::exists(std::filesystem::path{database != nullptr ? database : "/usr/share/zoneinfo"} / zone, ec) ? std::string{} : zone;
}

}  // namespace

std::optional<std::string> text_of(const std::string& path) {
    std::ifstream file{path};
    std::ostringstream text;
    if (!file || !(text << file.rdbuf())) return std::nullopt;
    return text.str();
}

ResolverFacts resolver_facts() {
    ResolverFacts facts;
    facts.configuration = text_of("/etc/resolv.conf");
    // On a thread that is left behind where it hangs.
    auto done = std::make_shared<std::promise<int>>();
    auto answer = done->get_future();
    const auto began = std::chrono::steady_clock::now();
    std::thread{[done] {
        addrinfo* found = nullptr;
        const int code = ::getaddrinfo("localhost", nullptr, nullptr, &found);
        if (found != nullptr) ::freeaddrinfo(found);
        done->set_value(code);
    }}.detach();
    if (answer.wait_for(k_patience) != std::future_status::ready) return facts;
    facts.time = std::chrono::steady_clock::now() - began;
    if (const int code = answer.get(); code != 0) facts.error = ::gai_strerror(code);
    return facts;
}

std::vector<std::pair<std::string, std::string>> proxy_variables() {
    std::vector<std::pair<std::string, std::string>> variables;
    for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
        if (const char* value = std::getenv(name)) variables.emplace_back(name, value);
    }
    return variables;
}

ClockFacts clock_facts() {
    ClockFacts facts;
    facts.now = std::chrono::system_clock::now();
    facts.zone = zone_text(std::chrono::system_clock::to_time_t(facts.now));
    facts.unknown_zone = unknown_zone();
    timex state{};
    if (const int said = ::adjtimex(&state); said >= 0) facts.synchronised = said != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    return facts;
}

std::pair<std::uint64_t, std::uint64_t> file_limits() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return {limit.rlim_cur, limit.rlim_max};
}

WatchFacts watch_facts(const std::vector<std::string>& places) {
    WatchFacts facts;
    facts.most_watches = number_in("/proc/sys/fs/inotify/max_user_watches");
    facts.most_instances = number_in("/proc/sys/fs/inotify/max_user_instances");
    facts.places = places.size();
    const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) {
        facts.error = words_of(errno);
        return facts;
    }
    const Descriptor inotify{fd};
    for (const std::string& place : places) {
        if (::inotify_add_watch(inotify.get(), place.c_str(), IN_CREATE) < 0 && facts.error.empty()) facts.error = place + ": " + words_of(errno);
    }
    return facts;
}

StateFacts state_facts(const std::string& file) {
    StateFacts facts{.file = file, .exists = false, .unreadable = {}, .unwritable = {}};
    if (file.empty()) return facts;
    if (const auto text = text_of(file)) {
        facts.exists = true;
        if (!parse_json(*text)) facts.unreadable = "no JSON is in it";
    } else if (std::error_code ec; std::filesystem::exists(file, ec) || (ec && ec != std::errc::no_such_file_or_directory)) {
        facts.exists = true;
        facts.unreadable = "it cannot be read";
    }
    // It is replaced by renaming, so what counts is its directory.
    const auto directory = std::filesystem::absolute(file).parent_path();
    if (::access(directory.c_str(), W_OK | X_OK) != 0) facts.unwritable = "its directory cannot be written to: " + words_of(errno);
    return facts;
}

}  // namespace qconn::cli
