// SPDX-License-Identifier: Apache-2.0
#include "cli/advice.hpp"

#include <array>

namespace qconn::cli {
namespace {

struct Line {
    Phase phase;    // none: any phase
    Reason reason;  // none: any reason
    std::string_view text;
};

struct Named {
    std::string_view error;
    std::string_view text;
};

// Of errors whose phase and reason are also those of others, for which something else is to be done.
constexpr std::array k_named{
    Named{"SSH-HOST-KEY-CHANGED",
          "The server has another key than the one that is known: it was set up anew, or somebody is in between. Compare the fingerprint with its "
          "administrator's before anything else; if it is right, 'ssh-keygen -R HOST' takes the old line out, and the new one can be added."},
    Named{"SSH-HOST-KEY-UNKNOWN",
          "Nobody has said that this key is the server's: compare the fingerprint with its administrator's, then add the line that the message shows "
          "to the file of known servers, or pin the key (option fingerprints)."},
    Named{"SSH-HOST-KEY-REVOKED",
          "The file of known servers says that this key must not be trusted: do not log in before its administrator has said why."},
    Named{"SSH-HOST-KEY-PIN",
          "The server shows none of the pinned keys: it was set up anew, or somebody is in between. Compare the fingerprint with its administrator's "
          "before the option fingerprints is changed."},
    Named{"SSH-KNOWN-HOSTS-ERROR",
          "A file of known servers on this machine cannot be used: the message names it; check the path (option known_hosts) and its permissions."},
    Named{"SSH-KEY-ERROR", "The private key cannot be used: check the option keyfile, whether this user can read the file, and keyfile_password."},
    Named{
        "SSH2CLIENT-AUTH-ERROR",
        "The message says what the server takes and what there was: check the user and the password of the URL, the option keyfile, and whether the "
        "server knows the key (authorized_keys)."},
    Named{"SSH-HANDSHAKE-ERROR",
          "No SSH server answers there, or both sides have no algorithm in common: check host and port; the message has the server's words (options "
          "ciphers, macs, key_exchanges, host_key_algorithms)."},
};

// The first line that fits is taken: exact ones, then those for a reason, then those for a phase.
constexpr std::array k_lines{
    Line{Phase::secret, Reason::timeout,
         "What provides the secret did not answer: see whether its server, or the command, works by itself. Nothing is known of the remote end."},
    Line{Phase::secret, Reason::status, "The command that prints the secret fails: run it by hand, as this user, to see what it says."},
    Line{Phase::secret, Reason::none,
         "The definition refers to a secret that is not there: set the variable or make the file readable for this user."},
    Line{Phase::resolve, Reason::unknown_host, "Check the spelling of the host in the URL; 'getent hosts HOST' asks the same resolver."},
    Line{Phase::resolve, Reason::none,
         "The name service did not answer: see /etc/resolv.conf and whether its servers can be reached. An address in the URL goes round it for a "
         "test."},
    Line{Phase::connect, Reason::refused,
         "The host answers but nothing listens on this port: is the service started, is it bound to this address, is the port right?"},
    Line{Phase::connect, Reason::timeout,
         "Packets vanish on the way: a firewall drops them, or the host is down or has another address. Try the same host and port from a "
         "neighbouring machine."},
    Line{Phase::connect, Reason::unreachable,
         "There is no route to this address: check the network, VPN and routes of this machine ('ip route get ADDRESS')."},
    Line{Phase::connect, Reason::not_found, "The path does not exist: check the URL, and whether the file system is mounted."},
    Line{Phase::proxy, Reason::refused,
         "The proxy works, but nothing listens at the target as seen from it: is the service started, is the port right?"},
    Line{Phase::proxy, Reason::denied, "The proxy wants other credentials: check user and password in the option proxy, and proxy_auth."},
    Line{Phase::proxy, Reason::permission, "The rules of the proxy do not allow this target: ask whoever runs it."},
    Line{Phase::proxy, Reason::bad_answer, "What answers there is no proxy of this kind: check scheme and port in the option proxy."},
    Line{Phase::proxy, Reason::timeout,
         "The proxy took the connection but says nothing: it hangs, waits for the target, or is no proxy of this kind."},
    Line{Phase::proxy, Reason::unknown_host,
         "The proxy finds no address for the name: check the host in the URL. With socks5 it would be looked up here."},
    Line{Phase::proxy, Reason::certificate_untrusted, "The issuer of the proxy's certificate is not known here: name its CA in proxy_ssl_ca_file."},
    Line{Phase::proxy, Reason::certificate_name,
         "The proxy's certificate is for another name: use that in the option proxy, or set proxy_ssl_server_name."},
    Line{Phase::proxy, Reason::certificate_expired,
         "The proxy's certificate is out of its time. If it looks valid, check the clock of this machine."},
    Line{Phase::proxy, Reason::none,
         "The proxy took the connection but does not lead on: is this target allowed there, and can the proxy itself reach it?"},
    Line{Phase::tls, Reason::certificate_expired,
         "The server's certificate is out of its time: renew it there. If it looks valid, check the clock of this machine."},
    Line{Phase::tls, Reason::certificate_untrusted,
         "The issuer is not known here: name its CA certificate in the TLS options, or have the server send its whole chain."},
    Line{Phase::tls, Reason::certificate_name,
         "The certificate is for another host: use a name that it lists in the URL, or have it issued for this one."},
    Line{Phase::tls, Reason::certificate_pin,
         "The server shows another certificate than the pinned one. If it was renewed, pin the new one; if not, somebody is in between."},
    Line{
        Phase::tls, Reason::certificate_revoked,
        "Its authority has revoked the certificate: have the server's owner replace it. Where the list could not be had: can this machine reach it?"},
    Line{Phase::tls, Reason::timeout,
         "The port takes connections but does not speak TLS in time: is it a TLS port? Without TLS the scheme has no final s."},
    Line{Phase::tls, Reason::none,
         "The handshake failed: is it a TLS port, do both sides allow a common version, does the server ask for a client certificate?"},
    Line{Phase::auth, Reason::denied, "The credentials were refused: check user, password or token, and whether the account is locked or expired."},
    Line{Phase::auth, Reason::missing,
         "Something for the log-in is missing: the message names it. Where a person has to allow the access, 'qconn auth NAME --save' logs in."},
    Line{Phase::none, Reason::denied, "The credentials were refused: check user, password or token, and whether the account is locked or expired."},
    Line{Phase::none, Reason::permission, "The account is known but not allowed to do this: ask for the right, or check the path."},
    Line{Phase::none, Reason::not_found, "It is not there: check the path in the URL and in the options."},
    Line{Phase::none, Reason::status,
         "The server answered with a failure: its own words above and its log say why. Check the path and the credentials."},
    Line{Phase::none, Reason::bad_answer, "Something else answers there: check port and scheme."},
    Line{Phase::none, Reason::timeout,
         "The peer is connected but silent: it may be overloaded or stuck; look at its log. --timeout allows more time."},
    Line{Phase::none, Reason::reset, "The connection was cut: by the server (its log says why), or by a firewall or load balancer in between."},
    Line{Phase::none, Reason::closed, "The peer hung up without an answer: is it the right port and protocol, does it restrict who may connect?"},
    Line{Phase::none, Reason::limit, "A limit was exceeded: the message names it; raise it only if you trust the peer."},
    Line{Phase::none, Reason::local, "The fault is on this machine: descriptors, ports, memory or disk. The message has the system's words."},
    Line{Phase::none, Reason::disk_full, "The file system is full: make room."},
    Line{Phase::none, Reason::missing, "Something that is needed is not given: the message names it."},
    Line{Phase::none, Reason::bad_value, "The definition is wrong: 'qconn check' shows the place."},
    Line{Phase::none, Reason::unsupported, "This build cannot do that: the message says what."},
    Line{Phase::none, Reason::cancelled, "It was cancelled; try again."},
};

}  // namespace

std::string_view advice(Phase phase, Reason reason, std::string_view error) noexcept {
    const std::string_view name = error.substr(0, error.find(':'));
    for (const Named& one : k_named)
        if (one.error == name) return one.text;
    for (const Line& line : k_lines) {
        if ((line.phase == Phase::none || line.phase == phase) && (line.reason == Reason::none || line.reason == reason)) return line.text;
    }
    return "The message above has the system's or the peer's own words.";
}

std::string_view advice(const Error& error) noexcept { return advice(error.phase(), error.reason(), error.name()); }

}  // namespace qconn::cli
