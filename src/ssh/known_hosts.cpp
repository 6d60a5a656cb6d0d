// SPDX-License-Identifier: Apache-2.0
#include "ssh/known_hosts.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace qconn::ssh {

namespace {

std::string_view next_word(std::string_view& rest) {
    const std::size_t start = rest.find_first_not_of(" \t");
    if (start == npos) return rest = {};
    rest.remove_prefix(start);
    const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    return word;
}

/// The type that stands in the key itself.
std::optional<std::string_view> type_in(std::string_view blob) {
    if (blob.size() < 4) return std::nullopt;
    std::size_t size = 0;
    for (const char byte : blob.substr(0, 4)) size = size << 8U | static_cast<unsigned char>(byte);
    if (size == 0 || size > blob.size() - 4) return std::nullopt;
    return blob.substr(4, size);
}

/// `*` and `?`. Without recursion: what is matched comes from files.
bool matches_pattern(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = npos, resume = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || text::lower(pattern[p]) == name[n])) {
            ++p;
            ++n;
        } else if (star != npos) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

/// `|1|SALT|HASH`: HMAC-SHA1 of the name, with the salt for a key.
bool matches_hash(std::string_view field, std::string_view name) {
    const auto parts = text::split(field, '|');
    if (parts.size() != 4 || parts[1] != "1") return false;
    const auto salt = base64::decode(parts[2]);
    const auto hash = base64::decode(parts[3]);
    constexpr std::size_t k_size = 20;
    if (!salt || !hash || hash->size() != k_size || salt->empty()) return false;
    std::array<unsigned char, EVP_MAX_MD_SIZE> own{};
    unsigned size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(name.data());
    if (HMAC(EVP_sha1(), salt->data(), static_cast<int>(salt->size()), bytes, name.size(), own.data(), &size) == nullptr) return false;
    return size == k_size &&
           std::equal(own.begin(), own.begin() + k_size, hash->begin(), [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); });
}

/// Key types whose signature algorithms have names of their own.
bool is_algorithm_of(std::string_view algorithm, std::string_view type) {
    if (algorithm == type) return true;
    return type == "ssh-rsa" && (algorithm == "rsa-sha2-512" || algorithm == "rsa-sha2-256");
}

std::string place_of(const KnownHostsFile& file, const KnownHost& entry) { return file.path + ':' + std::to_string(entry.line); }

}  // namespace

KnownHosts parse_known_hosts(std::string_view text) {
    KnownHosts out;
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == npos ? text.size() : end + 1);
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        std::string_view word = next_word(line);
        if (word.empty() || word.starts_with('#')) continue;
        const auto skip = [&](const char* why) { out.skipped.push_back({number, why}); };

        KnownHost entry;
        entry.line = number;
        if (word.starts_with('@')) {
            if (word == "@cert-authority") {
                skip("a certificate authority; certificates of servers are not looked at");
                continue;
            }
            if (word != "@revoked") {
                skip("an unknown mark");
                continue;
            }
            entry.mark = KnownHost::Mark::revoked;
            word = next_word(line);
        }
        entry.hosts = word;
        const std::string_view type = next_word(line);
        const std::string_view key = next_word(line);
        if (key.empty()) {
            skip("too few words");
            continue;
        }
        if (text::is_digit(type.front())) {
            skip("a key of SSH 1");
            continue;
        }
        auto blob = base64::decode(key);
        if (!blob) {
            skip("the key is no base64");
            continue;
        }
        if (type_in(*blob) != type) {
            skip("the key is not of the type that stands before it");
            continue;
        }
        entry.key = {std::string{type}, std::move(*blob)};
        out.entries.push_back(std::move(entry));
    }
    return out;
}

std::string known_host_name(std::string_view host, std::uint16_t port) {
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::string name = text::to_lower(host);
    constexpr std::uint16_t k_usual = 22;
    return port == k_usual ? name : '[' + name + "]:" + std::to_string(port);
}

bool matches_host(std::string_view hosts, std::string_view name) {
    if (hosts.starts_with('|')) return matches_hash(hosts, name);
    bool found = false;
    for (std::string_view pattern : text::split(hosts, ',')) {
        const bool excludes = pattern.starts_with('!');
        if (excludes) pattern.remove_prefix(1);
        if (pattern.empty() || !matches_pattern(pattern, name)) continue;
        if (excludes) return false;
        found = true;
    }
    return found;
}

HostKeyFinding find_host_key(const std::vector<KnownHostsFile>& files, std::string_view name, const HostKey& key) {
    using Verdict = HostKeyFinding::Verdict;
    HostKeyFinding match, others;
    for (const KnownHostsFile& file : files) {
        for (const KnownHost& entry : file.contents.entries) {
            const bool same = entry.key.blob == key.blob;
            const bool revoked = entry.mark == KnownHost::Mark::revoked;
            if ((revoked && !same) || !matches_host(entry.hosts, name)) continue;
            // Whatever else stands there, also in a later line.
            if (revoked) return {Verdict::revoked, {place_of(file, entry)}, {entry.key}};
            HostKeyFinding& to = same ? match : others;
            to.verdict = same ? Verdict::match : Verdict::changed;
            to.places.push_back(place_of(file, entry));
            to.keys.push_back(entry.key);
        }
    }
    return match.verdict == Verdict::match ? match : others;
}

std::vector<std::string> known_key_types(const std::vector<KnownHostsFile>& files, std::string_view name) {
    std::vector<std::string> types;
    for (const KnownHostsFile& file : files) {
        for (const KnownHost& entry : file.contents.entries) {
            if (entry.mark != KnownHost::Mark::none || !matches_host(entry.hosts, name)) continue;
            if (std::find(types.begin(), types.end(), entry.key.type) == types.end()) types.push_back(entry.key.type);
        }
    }
    return types;
}

std::vector<std::string> prefer_known_types(const std::vector<std::string>& wanted, const std::vector<std::string>& types) {
    std::vector<std::string> out = wanted;
    std::stable_partition(out.begin(), out.end(), [&](const std::string& algorithm) {
        return std::any_of(types.begin(), types.end(), [&](const std::string& type) { return is_algorithm_of(algorithm, type); });
    });
    return out;
}

std::string fingerprint_of(std::string_view blob) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(blob.data(), blob.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) return {};
    std::string text = base64::encode({reinterpret_cast<const char*>(digest.data()), size});
    while (text.ends_with('=')) text.pop_back();
    return "SHA256:" + text;
}

std::string known_hosts_line(std::string_view name, const HostKey& key) {
    return std::string{name} + ' ' + key.type + ' ' + base64::encode(key.blob);
}

}  // namespace qconn::ssh
