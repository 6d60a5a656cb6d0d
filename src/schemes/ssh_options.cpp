// SPDX-License-Identifier: Apache-2.0
#include "schemes/ssh_options.hpp"

#include <memory>
#include <optional>
#include <utility>

#include <qconn/ssh/ssh_client.hpp>

#include "base/outcome_box.hpp"
#include "base/text.hpp"
#include "ssh/greeting.hpp"
#include "ssh/sessions.hpp"

namespace qconn::schemes {
namespace {

constexpr std::uint16_t k_port = 22;

/// What two options of one name would give.
Url jump_url(std::string_view text) {
    Url url = Url::parse(text.find("://") == npos ? "ssh://" + std::string{text} : std::string{text});
    if (url.scheme != "ssh") throw make_error(Errc::invalid_argument, "a server on the way is named as ssh://user@host:port");
    if (url.host.empty() || url.is_socket) throw make_error(Errc::invalid_argument, "a server on the way has no host");
    if (url.password) throw make_error(Errc::invalid_argument, "a password does not belong into jump, which is shown; set jump_password");
    return url;
}

std::string each_word_problem(const Value& list, const char* what) {
    for (const Value& one : list.as_list()) {
        if (!one.is_string() || one.as_string().empty() || one.as_string().find_first_of(" ,\t\r\n") != npos)
            return std::string{"each element must be "} + what;
    }
    return {};
}

/// Closes its sessions with the last ping that has it.
struct PingSessions {
    explicit PingSessions(std::shared_ptr<ssh::Sessions> all) : sessions{std::move(all)} {}
    PingSessions(const PingSessions&) = delete;
    PingSessions& operator=(const PingSessions&) = delete;
    ~PingSessions() { sessions->close(); }
    const std::shared_ptr<ssh::Sessions> sessions;
};

PingEvidence open_once(const std::shared_ptr<ssh::Sessions>& sessions, PingDepth depth, const std::string& subsystem, Deadline deadline) {
    const auto agreed = std::make_shared<OutcomeBox<SshSessionInfo>>();
    sessions->connect(deadline, [agreed](Result<SshSessionInfo> result) { agreed->put(std::move(result)); });
    PingEvidence seen = ssh_evidence(agreed->take());
    if (depth != PingDepth::full && depth != PingDepth::standard) return seen;
    ssh::Purpose purpose;
    if (!subsystem.empty()) {
        purpose.kind = ssh::Purpose::Kind::subsystem;
        purpose.what = subsystem;
    }
    const auto opened = std::make_shared<OutcomeBox<int>>();  // what it opens is closed at once
    sessions->open(purpose, deadline, [opened](Result<std::unique_ptr<ssh::SessionChannel>> result) {
        opened->put(result ? Result<int>{0} : Result<int>{result.error()});
    });
    opened->take();
    seen.text += "; " + (subsystem.empty() ? std::string{"a channel"} : "the subsystem " + subsystem) + " was opened";
    return seen;
}

}  // namespace

std::vector<std::string> words_of(const Value& list) {
    std::vector<std::string> out;
    for (const Value& one : list.as_list()) out.emplace_back(one.as_string());
    return out;
}

PingEvidence ssh_evidence(const SshSessionInfo& info) {
    PingEvidence seen{text::printable(info.banner) + "; " + info.host_key_type + ' ' + info.fingerprint + "; " + info.cipher_out + "; logged in as " +
                      text::printable(info.user) + " by " + info.login};
    Credential key;
    key.kind = Credential::Kind::host_key;
    key.subject = info.host_key_type;
    key.fingerprint = info.fingerprint;
    seen.credentials.push_back(std::move(key));
    return seen;
}

OperationSpec ssh_session_operation(std::function<SshSessionInfo(Client&, Deadline)> connect) {
    OperationSpec spec;
    spec.name = "session";
    spec.help = "What was agreed on with the server: its key, algorithms, the way of the log-in";
    spec.run = [connect = std::move(connect)](Client& client, const Map&, Deadline deadline) -> Value {
        const SshSessionInfo info = connect(client, deadline);
        return Map{{"banner", info.banner},
                   {"host_key_type", info.host_key_type},
                   {"fingerprint", info.fingerprint},
                   {"key_exchange", info.key_exchange},
                   {"cipher", info.cipher_out},
                   {"cipher_in", info.cipher_in},
                   {"mac", info.mac_out},
                   {"mac_in", info.mac_in},
                   {"user", info.user},
                   {"login", info.login},
                   {"transport", info.transport}};
    };
    return spec;
}

std::string fingerprints_problem(const Value& list) {
    for (const Value& one : list.as_list()) {
        constexpr std::size_t k_length = 50;  // of SHA-256 in base64 without padding, and the word before it
        if (!one.is_string() || !one.as_string().starts_with("SHA256:") || one.as_string().size() != k_length)
            return "each element must be a fingerprint as ssh-keygen -lf shows it, SHA256: and 43 characters";
    }
    return {};
}

std::string algorithms_problem(const Value& list) { return each_word_problem(list, "the name of an algorithm"); }

std::string jumps_problem(const Value& list) {
    for (const Value& one : list.as_list()) {
        if (!one.is_string()) return "each element must be a URL such as ssh://user@host";
        try {
            jump_url(one.as_string());
        } catch (const Error& error) { return std::string{error.message()}; }
    }
    return {};
}

void set_ssh_address(SshOptions& options, const ResolvedDefinition& definition) {
    const Url& url = definition.url;
    options.label = definition.name;
    options.host = url.host;
    options.port = url.port.value_or(k_port);
    options.user = url.username.value_or("");
    options.password = url.password.value_or(Secret{});
#ifndef QCONN_WITHOUT_HTTP
    if (std::optional<Proxy> proxy = proxy_of(definition, "https")) options.proxy = std::make_shared<const Proxy>(std::move(*proxy));
#endif
    const Value& jumps = option_of(definition, "jump");
    if (jumps.is_null()) return;
    std::shared_ptr<const SshOptions> before;
    for (const Value& one : jumps.as_list()) {
        const Url at = jump_url(one.as_string());
        SshOptions jump = options;
        jump.jump = before;
        jump.host = at.host;
        jump.port = at.port.value_or(k_port);
        jump.user = at.username.value_or("");
        const Value& password = option_of(definition, "jump_password");
        jump.password = password.is_null() ? Secret{} : Secret{password.as_string()};
        jump.fingerprints.clear();
        before = std::make_shared<const SshOptions>(std::move(jump));
    }
    options.jump = std::move(before);
}

void check_ssh(const Definition& definition, Findings& findings) {
    const Url url = url_of(definition);
    if (url.host.empty()) findings.error("url", "missing-host", "the URL has no host", "write " + definition.scheme() + "://user@host");
    if (url.is_socket) findings.error("url", "missing-host", "an SSH server is not reached by a UNIX socket");
    if (is_set(definition, "keyfile") && is_set(definition, "keyfile_data"))
        findings.warning("keyfile", "unused-option", "'keyfile_data' is set, so 'keyfile' is not read", "take one of the two out");
    if (is_set(definition, "fingerprints") && is_set(definition, "known_hosts"))
        findings.warning("known_hosts", "unused-option", "'fingerprints' is set, so no file of known servers is read for the server itself");
    if (is_set(definition, "jump_password") && !is_set(definition, "jump"))
        findings.warning("jump_password", "unused-option", "'jump_password' says nothing without 'jump'");
#ifndef QCONN_WITHOUT_HTTP
    check_proxy_options(definition, findings);
#endif
}

Scheme ssh_kind(const char* name, std::vector<OptionSpec> options, std::function<SshOptions(const ResolvedDefinition&)> options_of,
                const std::string& subsystem) {
    Scheme scheme;
    scheme.names = {name};
    scheme.family = "ssh";
    scheme.user_is_name = true;
    scheme.default_ports = {{name, k_port}};
    scheme.options = std::move(options);
    scheme.sharing = Sharing::parallel;
    scheme.standard_depth = PingDepth::auth;
    scheme.check = [](const Definition& definition, const PlaceOf& place_of, Diagnostics& out) {
        Findings findings{place_of, out};
        check_ssh(definition, findings);
    };
    scheme.make_ping = [options_of = std::move(options_of), subsystem](const ResolvedDefinition& definition, PingDepth depth,
                                                                       const Runtime& runtime) -> PingPlan {
        SshOptions all = options_of(definition);
        if (depth == PingDepth::connect || depth == PingDepth::tls) {
            // The nearest server: that those behind it can be reached, only a log-in there can tell.
            const SshOptions* first = &all;
            while (first->jump) first = first->jump.get();
            NetPing ping;
            ping.endpoint = ssh::make_settings(*first)->endpoint;
            ping.dialogue = [] { return ssh::make_greeting(); };
            return ping;
        }
        if (depth == PingDepth::standard) {
            // One log-in serves many pings: the session is kept, and each opens a channel in it.
            const auto kept = std::make_shared<PingSessions>(ssh::Sessions::make(std::move(all), runtime));
            return BlockingPing{
                [kept, subsystem](Deadline deadline) -> PingEvidence { return open_once(kept->sessions, PingDepth::standard, subsystem, deadline); }};
        }
        return BlockingPing{[all = std::move(all), depth, subsystem, runtime](Deadline deadline) -> PingEvidence {
            const PingSessions fresh{ssh::Sessions::make(all, runtime)};
            return open_once(fresh.sessions, depth, subsystem, deadline);
        }};
    };
    return scheme;
}

}  // namespace qconn::schemes
