// SPDX-License-Identifier: Apache-2.0
// file and dir.
#include <array>
#include <cstdio>
#include <utility>

#include <qconn/file/file_client.hpp>

#include "file/storage.hpp"
#include "schemes/convert.hpp"
#include "schemes/file_location.hpp"
#include "schemes/file_operations.hpp"
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
