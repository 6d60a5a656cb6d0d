// SPDX-License-Identifier: Apache-2.0
/// Credentials that live outside of definitions, by domain and key: `salesforce.com/username`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>

namespace qconn {

/// Where options get their values that declare a property (OptionSpec::property) and have none in the definition. Asked after the environment
/// variable of the property, `QCONN_PROPERTY_SALESFORCE_COM_USERNAME`, and before the option's default. Whatever comes from it is a secret and is
/// masked in all texts about the connection. It is asked each time that secrets are resolved, so that what changes there is taken over as with any
/// other secret. An embedder derives its own.
class QCONN_API PropertySource {
public:
    PropertySource() = default;
    PropertySource(const PropertySource&) = delete;
    PropertySource& operator=(const PropertySource&) = delete;
    virtual ~PropertySource();

    /// Absent: it has none of that name. May block: a registry asks on threads of its own for this, at most 4 at a time, and a connection waits for
    /// its properties for at most 10 s. A call that nobody waits for any more may outlast the registry. What it throws is a failure of the connection
    /// that needs it (SECRET-ERROR, phase `secret`).
    virtual std::optional<Secret> lookup(std::string_view domain, std::string_view key) = 0;
};

/// A YAML file, a map of domains to maps of keys to texts:
///
///     salesforce.com:
///       username: edi@example.com
///       password: "..."
///
/// Read when it is first needed, and again when it has changed. It must be a regular file that others can neither read nor write, and that its group
/// cannot write (`chmod 640`); up to 1 MiB. A file that breaks a rule, or is not there, is an error of each look-up, which names it.
QCONN_API std::shared_ptr<PropertySource> property_file(std::string path);

}  // namespace qconn
