// SPDX-License-Identifier: Apache-2.0
/// A private file with the secrets that shared definitions leave out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/export.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/diagnostic.hpp>
#include <qconn/core/secret_provider.hpp>

namespace qconn {

struct Scheme;

/// A YAML file, a map of connections to maps of what they lack:
///
///     shop-api:
///       password: "..."
///       headers:
///         Authorization: Bearer ...
///     inbox:
///       url.user: edi
///       url.password: "..."
///
/// Keys are options that hold secrets, OPTION.MEMBER or a map for members of maps that do, and `url.user`, `url.password`; a plain
/// `password` is that of the URL where that has a user and no `url.password` is given, or the scheme has no such option. Values are texts. What a
/// definition says itself is never replaced.
///
/// It must be a regular file of up to 1 MiB that nobody but its owner can read or write (`chmod 600`). RegistryOptions::secrets_file names the one
/// of a registry (docs/secrets.md); this class is for tools that work on definitions without one.
/// @note A handle: copies share what was read. Thread-safe.
class QCONN_API SecretOverlay {
public:
    /// Reads nothing yet.
    explicit SecretOverlay(std::string path);

    const std::string& path() const noexcept;
    /// Reads the file, unless it is what it was.
    /// @returns what is wrong with it as a whole (`secrets-file`): then what was read before counts on
    Diagnostics read() const;
    /// Puts references, `${local:password}`, where the definition lacks what the file has for it, as it was read last. To be called before
    /// Catalogue::check. Findings have their places in the file: errors for what cannot be put anywhere, warnings for what the definition says
    /// itself.
    /// @param scheme  null where it is unknown; then nothing is done
    void complete(Definition& definition, const Scheme* scheme, Diagnostics& findings) const;
    /// Takes these references out again.
    static void strip(Definition& definition);
    /// What stands behind them: each connection is given its own entries and no others. Reads the file anew when it has changed.
    SecretProvider provider() const;

    class State;
    /// For the library's own layers.
    const std::shared_ptr<State>& state() const noexcept { return state_; }

private:
    std::shared_ptr<State> state_;
};

/// The text of such a file with one more entry; all else stays as it is written.
/// @param key  as in the file: "password", "headers.Authorization", "url.password"
/// @throws Error EDIT-ERROR where the text is no such file, has that entry already, or is written in a way that cannot be changed so
QCONN_API std::string add_overlay_entry(std::string_view text, std::string_view connection, std::string_view key, std::string_view value);
/// The same, in the place of the value that the entry has where it is there already. @throws Error EDIT-ERROR likewise
QCONN_API std::string set_overlay_entry(std::string_view text, std::string_view connection, std::string_view key, std::string_view value);

}  // namespace qconn
