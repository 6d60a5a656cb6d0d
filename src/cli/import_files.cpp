// SPDX-License-Identifier: Apache-2.0
#include "cli/import_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include <qconn/base/error.hpp>
#include <qconn/core/registry_error.hpp>

#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

constexpr std::string_view k_suffix = ".qconn.yaml";
/// Of a name in bytes, so that the file name stays below 255 with suffix and number.
constexpr std::size_t k_longest = 200;

Error failure(const std::string& message) { return Error{RegistryErrc::load, "IMPORT-ERROR", message}.with_reason(Reason::local); }

[[noreturn]] void refused(const std::string& what, const std::string& path, int error) {
    throw failure(what + " \"" + path + "\" failed: " + std::system_category().message(error));
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

/// Beside its place, hidden from whoever reads the directory, then moved into it.
void write_file(const std::string& path, std::string_view text, bool force, bool secret) {
    const std::filesystem::path target{path};
    const std::string beside = (target.parent_path() / (".new." + std::to_string(::getpid()) + "." + target.filename().string())).string();
    {
        const Descriptor file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0666)};
        if (file.get() < 0) refused("writing", path, errno);
        while (!text.empty()) {
            const ssize_t n = ::write(file.get(), text.data(), text.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) {
                const int error = errno;
                ::unlink(beside.c_str());
                refused("writing", path, error);
            }
            text.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    // A link never replaces anything; some file systems have none.
    const bool linked = !force && ::link(beside.c_str(), path.c_str()) == 0;
    const int error = errno;
    if (linked) {
        ::unlink(beside.c_str());
    } else if (!force && error == EEXIST) {
        ::unlink(beside.c_str());
        refused("writing", path, error);
    } else if (::rename(beside.c_str(), path.c_str()) != 0) {
        const int why = errno;
        ::unlink(beside.c_str());
        refused("writing", path, why);
    }
}

}  // namespace

std::string definition_file_name(std::string_view name) {
    constexpr std::string_view k_unfit = "/\\:*?\"<>|";
    std::string file;
    for (const char c : name) file += static_cast<unsigned char>(c) < 0x20 || c == 0x7F || k_unfit.find(c) != std::string_view::npos ? '_' : c;
    if (file.empty() || file[0] == '.') file.insert(0, "_");
    if (file.size() > k_longest) {
        std::size_t end = k_longest;
        while (end > 0 && (static_cast<unsigned char>(file[end]) & 0xC0U) == 0x80U) --end;  // not within a character
        file.resize(end);
    }
    return file.append(k_suffix);
}

std::vector<std::string> definition_paths(const std::vector<Definition>& definitions, const std::string& directory) {
    std::vector<std::string> paths;
    std::set<std::string> used;
    for (const Definition& definition : definitions) {
        const std::string name = definition_file_name(definition.name);
        std::string free = name;
        for (std::size_t n = 2; !used.insert(lower(free)).second; ++n)
            free = name.substr(0, name.size() - k_suffix.size()) + "-" + std::to_string(n) + std::string{k_suffix};
        paths.push_back((std::filesystem::path{directory} / free).string());
    }
    return paths;
}

void write_definitions(const std::vector<Definition>& definitions, const std::vector<std::string>& paths, const std::string& directory, bool force,
                       bool secret) {
    std::error_code problem;
    std::filesystem::create_directories(directory, problem);
    if (problem) throw failure("making the directory \"" + directory + "\" failed: " + problem.message());
    std::string there;
    std::size_t count = 0;
    for (const std::string& path : paths) {
        if (force || !std::filesystem::exists(std::filesystem::symlink_status(path, problem))) continue;
        if (++count <= 5) (there += there.empty() ? "" : ", ") += printable(path);
    }
    if (count > 5) there += " and " + std::to_string(count - 5) + " more";
    if (count > 0) throw failure("nothing is written, as these files are there already: " + there + "; --force replaces them");
    for (std::size_t i = 0; i < definitions.size(); ++i) write_file(paths[i], to_yaml(definitions[i]), force, secret);
}

std::string read_source(const std::string& path) {
    const bool standard = path == "-";
    const Descriptor file{standard ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.get() < 0 && errno == ENOENT) throw NotFound("there is no file '" + printable(path) + "'");
    if (file.get() < 0) refused("reading", path, errno);
    std::string text;
    std::array<char, 65536> block{};
    for (;;) {
        const ssize_t n = ::read(file.get(), block.data(), block.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) refused("reading", path, errno);
        if (n == 0) return text;
        text.append(block.data(), static_cast<std::size_t>(n));
        if (text.size() > 64U << 20U) throw failure("\"" + path + "\" is larger than 64 MiB");
    }
}

}  // namespace qconn::cli
