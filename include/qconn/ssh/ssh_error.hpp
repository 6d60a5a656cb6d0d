// SPDX-License-Identifier: Apache-2.0
/// Codes of errors of SSH connections.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

/// What failed between the first byte of an SSH connection and the end of a channel. Reaching the server at all is NetErrc's affair; a deadline that
/// passed is TIMEOUT and a cancelled call CANCELLED (Errc), with the phase that it was in.
enum class SshErrc {
    handshake = 1,     ///< SSH-HANDSHAKE-ERROR: no SSH server, no algorithm in common, or it closed (phase tls; before its banner: protocol)
    host_key_unknown,  ///< SSH-HOST-KEY-UNKNOWN: no known_hosts file has the server (reason certificate_untrusted)
    host_key_changed,  ///< SSH-HOST-KEY-CHANGED: the files have another key for it (reason certificate_untrusted)
    host_key_revoked,  ///< SSH-HOST-KEY-REVOKED: the files say that this key must not be trusted (reason certificate_untrusted)
    host_key_pin,      ///< SSH-HOST-KEY-PIN: it is none of the pinned ones (reason certificate_pin)
    known_hosts,       ///< SSH-KNOWN-HOSTS-ERROR: a known_hosts file cannot be read or written
    auth,              ///< SSH2CLIENT-AUTH-ERROR: the server took none of what there was to log in with (reason denied; missing: there was nothing)
    key,               ///< SSH-KEY-ERROR: the key file that the options name cannot be read, or its pass-phrase is wrong
    session,           ///< SSH-SESSION-ERROR: the connection broke after the log-in
    channel,           ///< SSH-CHANNEL-ERROR: the server refused a channel, a command or a subsystem
    option,            ///< SSH-OPTION-ERROR: options that cannot be used
    limit,             ///< SSH-LIMIT-ERROR: more output than was allowed
    stream,            ///< SSH-STREAM-ERROR: the source or the sink of a command failed
};
QCONN_API const std::error_category& ssh_category() noexcept;
QCONN_API std::error_code make_error_code(SshErrc code) noexcept;
/// The stable name: "SSH2CLIENT-AUTH-ERROR".
QCONN_API std::string_view error_name(SshErrc code) noexcept;

/// Detail of host-key errors.
class QCONN_API SshHostKeyDetail : public ErrorDetail {
public:
    ~SshHostKeyDetail() override;
    /// "ssh-ed25519"
    std::string type;
    /// Of the key that the server showed: "SHA256:…".
    std::string fingerprint;
    /// Those that it should have been, where some are known.
    std::vector<std::string> expected;
    /// Where they stand: "FILE:LINE". Empty where they are pinned.
    std::vector<std::string> places;
};

/// Detail of SSH2CLIENT-AUTH-ERROR.
class QCONN_API SshAuthDetail : public ErrorDetail {
public:
    ~SshAuthDetail() override;
    /// What the server takes, in its own words: "publickey", "password", "keyboard-interactive".
    std::vector<std::string> offered;
    /// What was tried, and what came of each: "publickey (key file ~/.ssh/id_rsa): refused".
    std::vector<std::string> tried;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::SshErrc> : std::true_type {};
