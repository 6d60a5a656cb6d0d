// SPDX-License-Identifier: Apache-2.0
/// Secrets of a connection, taken out of what its peer says.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <qconn/base/secret.hpp>

namespace qconn::net {

/// A value type. Those that came from references are taken out by Redaction besides; here are all that a client knows, fast enough for all that it
/// hears.
class SecretMask {
public:
    SecretMask() = default;
    SecretMask(std::initializer_list<Secret> secrets) {
        for (const Secret& secret : secrets) add(secret);
    }
    /// Of less than 3 characters it is none: it would blot out parts of words. Of many the first, that of the log-in, and those that came last are
    /// known.
    void add(const Secret& secret);
    /// The text with k_masked in place of each; of those that begin at one place the longest counts.
    std::string apply(std::string text) const;

private:
    std::vector<Secret> secrets_;
};

}  // namespace qconn::net
