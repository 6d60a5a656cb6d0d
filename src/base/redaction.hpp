// SPDX-License-Identifier: Apache-2.0
/// What came from secret references, taken out of texts about a connection again. Errors and log records look here by the name that they carry, so no
/// client, ping or scheme has a part in it. Used on error paths only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/secret.hpp>

namespace qconn {

/// Secret texts and the references that they came from. A value until it is published, then immutable.
class Redaction {
public:
    /// @param reference  what is shown in its place: `${env:X}`
    /// Besides the text itself the forms that it takes in messages are taken out: lower case, percent-encoded and -decoded, with escapes, and, where
    /// it is a URL or a part of one, host, user, password and path by themselves. A text of one character is none to be hidden; those of two and
    /// three are taken out only where no letter or digit stands beside them, as they would blot out parts of words. Of a text over 4096 bytes the
    /// beginning counts.
    void add(std::string_view secret, std::string_view reference);
    bool empty() const noexcept { return entries_.empty(); }
    /// The text with the references in place of the secrets, also of one that was cut ("…"). Applied again it changes nothing.
    std::string apply(std::string_view text) const;

    friend bool operator==(const Redaction& a, const Redaction& b) noexcept;

private:
    struct Entry {
        Secret text;
        std::string reference;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    void add_form(std::string_view text, std::string_view reference);

    std::vector<Entry> entries_;  // longest text first
};

/// Several, as after a secret has changed or where two registries have a connection of one name.
using Redactions = std::vector<std::shared_ptr<const Redaction>>;

/// From now on in force for texts about `connection`, as long as the result is held. Null where it is empty. Thread-safe.
std::shared_ptr<const Redaction> publish(std::string_view connection, Redaction redaction);
/// Those in force; for what may have something to say after the client has gone. Thread-safe.
Redactions redactions_of(std::string_view connection);
/// `text` as it may be shown. Thread-safe; without anything in force one load of an atomic.
std::string redacted(std::string_view connection, std::string text);

}  // namespace qconn
