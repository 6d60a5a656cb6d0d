// SPDX-License-Identifier: Apache-2.0
/// Requests signed as Amazon Web Services want it: Signature Version 4. Knows no HTTP: it is told what is sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/auth/oauth2.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>

namespace qconn {

/// How a service reads what was signed.
enum class SigV4Rules : std::uint8_t {
    automatic,  ///< s3 where the service is "s3", else general
    general,    ///< the path is normalised and what is sent of it encoded once more
    s3,         ///< the path is that of the object, encoded once; X-Amz-Content-Sha256 is sent
};

/// Credentials and what they are used for. A value type.
struct SigV4Options {
    /// For messages; the name of the connection.
    std::string label{};
    std::string key_id{};
    Secret secret{};
    /// Of temporary credentials; sent as X-Amz-Security-Token and signed. Empty: none.
    Secret session_token{};
    /// "eu-west-1", "sqs". Empty: from the host of each request (aws_place).
    std::string region{};
    std::string service{};
    SigV4Rules rules{SigV4Rules::automatic};
};

/// What the host of a service tells.
struct AwsPlace {
    std::string service;
    std::string region;
    friend bool operator==(const AwsPlace&, const AwsPlace&) = default;
};
/// Of `<service>.<region>.amazonaws.com`, in lower case; a port may follow. Nothing where it is of another form.
QCONN_API std::optional<AwsPlace> aws_place(std::string_view host);

using SigV4Field = std::pair<std::string, std::string>;

/// A request as it is sent. Valid during the call that it is given to.
struct SigV4Request {
    std::string_view method;
    /// The whole URL with its query, encoded as it is sent. A '+' in the query is the blank that it means in forms.
    std::string_view url;
    /// Value of the Host header, unless `headers` has one. Empty: that of the URL.
    std::string_view host{};
    /// Signed are all of these but what a proxy may change (hop-by-hop fields, Accept-Encoding, Cache-Control, Via, X-Forwarded-For …) and what says
    /// who asks (User-Agent, Referer, From). X-Amz-Content-Sha256 stands for the hash of the body, "UNSIGNED-PAYLOAD" for example.
    std::span<const SigV4Field> headers{};
    /// In its content coding.
    std::string_view body{};
};

/// Signs requests. The key that is derived from the secret is kept for the day.
/// @note Thread-safe.
class QCONN_API SigV4Signer {
public:
    using Time = std::chrono::system_clock::time_point;

    /// @throws Error AWSRESTCLIENT-ERROR where key id or secret is missing, or something holds a character that it cannot have
    explicit SigV4Signer(SigV4Options options);
    ~SigV4Signer();
    SigV4Signer(const SigV4Signer&) = delete;
    SigV4Signer& operator=(const SigV4Signer&) = delete;

    const SigV4Options& options() const noexcept;

    /// The headers to be set for this request: X-Amz-Date, Authorization, X-Amz-Security-Token, X-Amz-Content-Sha256. Those of these names that the
    /// request has are replaced. Servers take them for some minutes from `now`.
    /// @throws Error AWSRESTCLIENT-ERROR where region or service are neither in the options nor in the host
    std::vector<SigV4Field> sign(const SigV4Request& request, Time now = std::chrono::system_clock::now()) const;

    /// The URL with a signature in its query, for whoever is given it to use until it expires: with this method, and with these headers besides Host.
    /// By the rules of S3 it may be used with any body, by the general ones with that of `request`.
    /// @param expires  from a second to seven days
    /// @throws Error AWSRESTCLIENT-ERROR as sign(), and where the URL is signed already
    std::string presign(const SigV4Request& request, std::chrono::seconds expires, Time now = std::chrono::system_clock::now()) const;

    /// Takes everything secret that it knows of out of a text.
    std::string redact(std::string text) const;

private:
    class Core;
    std::unique_ptr<Core> core_;
};

}  // namespace qconn
