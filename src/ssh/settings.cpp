// SPDX-License-Identifier: Apache-2.0
#include "ssh/settings.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/file_reason.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "ssh/ssh_error.hpp"

namespace qconn {

const SshAlgorithms& ssh_default_algorithms() {
    // The ciphers that processors have instructions for come first.
    static const SshAlgorithms all{
        {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"},
        {"hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"},
        {"curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
         "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512", "diffie-hellman-group14-sha256", "diffie-hellman-group-exchange-sha256"},
        {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256"}};
    return all;
}

namespace ssh {

namespace {

struct Account {
    std::string name;
    std::string home;
};

/// The one that this process runs as.
Account own_account() {
    Account out;
    std::array<char, 4096> room{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
        out.name = found->pw_name;
        out.home = found->pw_dir;
    }
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') out.home = home;
    return out;
}

[[noreturn]] void refuse(const SshOptions& options, const std::string& what) {
    throw ssh_error(SshErrc::option, what, Phase::none, Reason::bad_value, options.label);
}

bool is_word(std::string_view text) { return !text.empty() && !text::has_control(text) && text.find_first_of(" ,") == npos; }

std::string local_path(const Settings& settings, const std::string& path) {
    return path.starts_with("~/") && !settings.home.empty() ? settings.home + path.substr(1) : path;
}

/// A regular file of a sensible size. @returns errno
int read_small_file(const std::string& path, std::string& text) {
    constexpr std::size_t k_most = 16U << 20U;
    const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (!fd) return errno;
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return errno;
    if (S_ISDIR(info.st_mode)) return EISDIR;
    if (!S_ISREG(info.st_mode)) return EINVAL;
    std::array<char, 16384> block{};
    for (;;) {
        const ssize_t got = ::read(fd.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        text.append(block.data(), static_cast<std::size_t>(got));
        if (text.size() > k_most) return EFBIG;
    }
}

std::string words_of(int error) { return std::system_category().message(error); }

bool is_guarded(std::string_view text) {
    if (text.find("ENCRYPTED") != npos) return true;  // PEM and PKCS#8 say so in clear
    // The name of the cipher stands at the head of OpenSSH's form: "openssh-key-v1\0", length, name.
    constexpr std::string_view k_plain_head = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";  // …, 4, "none"
    return text.find("BEGIN OPENSSH PRIVATE KEY") != npos && text.find(k_plain_head) == npos;
}

std::string list_of(const std::vector<std::string>& all) { return text::join(all, ", "); }

}  // namespace

std::shared_ptr<const Settings> make_settings(SshOptions options) {
    if (options.host.empty()) refuse(options, "the options of an SSH connection name no host");
    if (options.port == 0) refuse(options, "0 is no port of an SSH server");
    if (text::has_control(options.user)) refuse(options, "the user has control characters");
    for (const auto* list :
         {&options.algorithms.ciphers, &options.algorithms.macs, &options.algorithms.key_exchanges, &options.algorithms.host_keys}) {
        for (const std::string& name : *list) {
            if (!is_word(name)) refuse(options, '"' + text::printable(name) + "\" is no name of an algorithm");
        }
    }
    for (const std::string& pin : options.fingerprints) {
        if (!pin.starts_with("SHA256:") || pin.size() < 50)
            refuse(options, '"' + text::printable(pin) + "\" is no fingerprint; write SHA256:… as `ssh-keygen -lf` shows it");
    }
    for (const std::chrono::milliseconds time : {options.keep_alive, options.connect_timeout, options.login_timeout, options.max_idle}) {
        if (time < std::chrono::milliseconds{0}) refuse(options, "a time of an SSH connection is negative");
    }
    auto out = std::make_shared<Settings>();
    const Account account = own_account();
    out->user = options.user.empty() ? account.name : options.user;
    if (out->user.empty()) refuse(options, "the options name no user, and the one that this process runs as has no name");
    out->own_user = out->user == account.name;
    out->home = account.home;
    out->known_name = known_host_name(options.host, options.port);
    const bool brackets = options.host.find(':') != std::string::npos && !options.host.starts_with('[');
    out->peer = out->user + '@' + (brackets ? '[' + options.host + ']' : options.host) + ':' + std::to_string(options.port);
    out->endpoint.host = options.host;
    out->endpoint.port = options.port;
    out->endpoint.proxy = options.proxy;
    if (options.socket != SocketOptions{}) out->endpoint.socket = std::make_shared<const SocketOptions>(options.socket);
    out->kind = &libssh_kind();
    out->options = std::move(options);
    return out;
}

std::vector<KnownHostsFile> load_known_hosts(const Settings& settings) {
    std::vector<KnownHostsFile> out;
    if (!settings.options.fingerprints.empty()) return out;
    std::vector<std::string> paths = settings.options.known_hosts;
    const bool named = !paths.empty();
    if (!named) paths = {"~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"};
    for (const std::string& path : paths) {
        std::string text;
        const int error = read_small_file(local_path(settings, path), text);
        // One that is not there is made by accept_new.
        const bool may_be_missing = !named || settings.options.host_key_policy == HostKeyPolicy::accept_new;
        if (error == ENOENT && may_be_missing) continue;
        if (error != 0) {
            throw ssh_error(SshErrc::known_hosts, "reading the file of known servers " + text::printable(path) + " failed: " + words_of(error),
                            Phase::tls, file_reason(error), settings.options.label);
        }
        out.push_back({path, parse_known_hosts(text)});
    }
    return out;
}

namespace {

/// Where a key is written to.
std::string first_known_hosts(const Settings& settings) {
    return settings.options.known_hosts.empty() ? "~/.ssh/known_hosts" : settings.options.known_hosts.front();
}

}  // namespace

void remember_host_key(const Settings& settings, const HostKey& key) {
    const std::string name = first_known_hosts(settings);
    const std::string path = local_path(settings, name);
    const auto fail = [&](int error) {
        throw ssh_error(SshErrc::known_hosts, "writing the server's key to " + text::printable(name) + " failed: " + words_of(error), Phase::tls,
                        file_reason(error), settings.options.label);
    };
    if (settings.options.known_hosts.empty() && !settings.home.empty()) ::mkdir((settings.home + "/.ssh").c_str(), 0700);
    const UniqueFd fd{::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600)};
    if (!fd) fail(errno);
    std::string line = known_hosts_line(settings.known_name, key) + '\n';
    // A last line that somebody left without its end.
    char last = '\n';
    const off_t end = ::lseek(fd.get(), 0, SEEK_END);
    if (end > 0 && ::pread(fd.get(), &last, 1, end - 1) == 1 && last != '\n') line.insert(line.begin(), '\n');
    // In one piece, so that another process that does the same does not come between.
    const ssize_t put = ::write(fd.get(), line.data(), line.size());
    if (put != static_cast<ssize_t>(line.size())) fail(put < 0 ? errno : ENOSPC);
}

std::vector<KeySource> key_sources(const Settings& settings) {
    const SshOptions& options = settings.options;
    if (!options.key.empty()) return {{{}, "key of the options", true}};
    if (!options.key_file.empty()) return {{local_path(settings, options.key_file), "key file " + text::printable(options.key_file), true}};
    std::vector<KeySource> out;
    if (!settings.own_user || settings.home.empty()) return out;
    for (const char* name : {"id_rsa", "id_ecdsa", "id_ed25519"})
        out.push_back({settings.home + "/.ssh/" + name, std::string{"key file ~/.ssh/"} + name, false});
    return out;
}

LoadedKey load_key(const Settings& settings, const KeySource& source) {
    const SshOptions& options = settings.options;
    Secret text = options.key;
    if (!source.path.empty()) {
        std::string content;
        const int error = read_small_file(source.path, content);
        if (error == ENOENT && !source.named) return {};
        if (error != 0) {
            const char* advice = error == ENOENT ? "; check the path" : error == EACCES ? "; check its owner and mode" : "";
            return {nullptr, "it cannot be read: " + words_of(error) + advice, file_reason(error)};
        }
        text = Secret{content};
        wipe(content);
    }
    const bool guarded = is_guarded(text.reveal());
    const Secret& phrase = options.key_password.empty() ? options.password : options.key_password;
    if (text.reveal().find("PRIVATE KEY-----") == npos) {
        const bool is_public = text.reveal().starts_with("ssh-") || text.reveal().starts_with("ecdsa-");
        return {nullptr, is_public ? "it is a public key; name the private one" : "it is no private key in OpenSSH, PEM or PKCS#8 form",
                Reason::bad_value};
    }
    if (guarded && phrase.empty()) return {nullptr, "it has a pass-phrase, and none is given; set the option keyfile_password", Reason::missing};
    auto key = settings.kind->read_key(text, guarded ? phrase : Secret{});
    if (key) return {std::move(key), {}, Reason::none};
    if (guarded) {
        const bool own = !options.key_password.empty();
        return {nullptr,
                own ? "its pass-phrase is another one than keyfile_password" : "its pass-phrase is not the password; set the option keyfile_password",
                Reason::denied};
    }
    return {nullptr, "it is broken, or of a kind that " + settings.kind->name() + " does not know", Reason::bad_value};
}

HostKeyJudgement judge_host_key(const Settings& settings, const std::vector<KnownHostsFile>& files, const HostKey& key) {
    const SshOptions& options = settings.options;
    auto detail = std::make_shared<SshHostKeyDetail>();
    detail->type = key.type;
    detail->fingerprint = fingerprint_of(key.blob);
    const std::string shown = key.type + ' ' + detail->fingerprint;
    const std::string server = "the server of \"" + settings.peer + "\" showed the key " + shown;
    const auto refused = [&](SshErrc code, Reason reason, const std::string& why) {
        Error error = ssh_error(code, server + why, Phase::tls, reason, options.label);
        error.with_detail(detail);
        return HostKeyJudgement{std::move(error), false};
    };

    if (!options.fingerprints.empty()) {
        if (std::find(options.fingerprints.begin(), options.fingerprints.end(), detail->fingerprint) != options.fingerprints.end()) return {};
        detail->expected = options.fingerprints;
        return refused(SshErrc::host_key_pin, Reason::certificate_pin,
                       ", but pinned is " + list_of(options.fingerprints) +
                           "; if the server has a new key, ask its administrator for the fingerprint and change the option fingerprints");
    }
    const HostKeyFinding finding = find_host_key(files, settings.known_name, key);
    detail->places = finding.places;
    std::vector<std::string> others;
    for (const HostKey& one : finding.keys) {
        detail->expected.push_back(fingerprint_of(one.blob));
        others.push_back(one.type + ' ' + detail->expected.back());
    }
    using Verdict = HostKeyFinding::Verdict;
    switch (finding.verdict) {
        case Verdict::match: return {};
        case Verdict::revoked:
            return refused(
                SshErrc::host_key_revoked, Reason::certificate_untrusted,
                ", which is marked as revoked in " + list_of(finding.places) + "; do not log in to it before its administrator has said why");
        case Verdict::changed:
            return refused(
                SshErrc::host_key_changed, Reason::certificate_untrusted,
                ", but known is " + list_of(others) + " (" + list_of(finding.places) +
                    "); somebody may listen in, or the server was set up anew: ask for its fingerprint, and if this is it, replace the line");
        case Verdict::unknown: break;
    }
    if (options.host_key_policy == HostKeyPolicy::accept_new) return {std::nullopt, true};
    std::vector<std::string> read;
    for (const KnownHostsFile& file : files) read.push_back(text::printable(file.path));
    return refused(SshErrc::host_key_unknown, Reason::certificate_untrusted,
                   ", and " +
                       (read.empty() ? std::string{"no file of known servers is there"} : list_of(read) + " does not have " + settings.known_name) +
                       "; if its administrator confirms the fingerprint, add the line \"" + known_hosts_line(settings.known_name, key) + "\" to " +
                       text::printable(first_known_hosts(settings)) + ", or set the option fingerprints, or host_key_check: accept-new");
}

}  // namespace ssh
}  // namespace qconn
