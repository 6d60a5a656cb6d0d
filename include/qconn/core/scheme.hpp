// SPDX-License-Identifier: Apache-2.0
/// Schemes and the catalogue of them: how a definition becomes a client and a ping.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/url.hpp>
#include <qconn/base/value.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/option.hpp>
#include <qconn/net/ping_plan.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

class FileResolver;
class PropertySource;
class Redaction;
struct SecretProvider;

namespace core {
class SecretReader;
class SecretTable;
}  // namespace core

/// A definition ready for use: checked, defaults filled in, secrets and environment resolved. Wipes its texts when it goes.
struct QCONN_API ResolvedDefinition {
    ResolvedDefinition() = default;
    ResolvedDefinition(ResolvedDefinition&&) noexcept = default;
    ResolvedDefinition& operator=(ResolvedDefinition&&) noexcept = default;
    ~ResolvedDefinition();

    std::string name;
    std::string scheme;
    Url url;
    /// With defaults; explicitly unset ones are absent.
    Map options;
    /// Keeps what its secret references were resolved to out of errors and log records about `name`. The registry holds it as long as the client.
    std::shared_ptr<const Redaction> redaction;
    /// Reads a file that an option names, in the ways of the registry: a path, from the directory of the definition on, `file:`, `https:`,
    /// `resource:` … Blocks. For the time of make_client only. Throws Error FILE-REFERENCE-ERROR.
    std::function<std::string(const std::string& reference)> read_file;
};

/// What a definition is resolved with, besides the environment.
struct ResolveSources {
    /// Null: none.
    PropertySource* properties{nullptr};
    /// Null: builtin_file_resolver().
    const FileResolver* files{nullptr};
};

/// How one client may be used by many callers; the registry keeps to it.
enum class Sharing : std::uint8_t {
    parallel,     ///< calls run beside each other (HTTP)
    multiplexed,  ///< calls share one connection (AMQP, WebSocket)
    serialised,   ///< one call at a time, the client sees to it
    exclusive,    ///< one user at a time: `get` is refused, use `open`
};
QCONN_API std::string_view to_string(Sharing sharing) noexcept;

/// A type that a scheme's client can be had as.
struct ClientType {
    const std::type_info* type{nullptr};
    std::string name;
    void* (*cast)(Client*){nullptr};
};

/// `client_types<RestClient, HttpClient>({"RestClient", "HttpClient"})`: the real type first, then those bases that callers may ask for.
template <class... T>
std::vector<ClientType> client_types(const std::vector<std::string>& names) {
    std::vector<ClientType> types{{&typeid(T), {}, [](Client* c) -> void* { return static_cast<T*>(c); }}...};
    for (std::size_t i = 0; i < types.size() && i < names.size(); ++i) types[i].name = names[i];
    types.push_back({&typeid(Client), "Client", [](Client* c) -> void* { return c; }});
    return types;
}

/// One operation of a client that can be called by name (the tool, the admin API).
struct OperationSpec {
    struct Argument {
        std::string name;
        OptionType type{OptionType::any};
        bool required{true};
        std::string help;
        /// A file of this machine that `run` writes; given as `-` it is standard output, which then gets nothing else.
        bool written{false};
    };
    std::string name;
    std::string help;
    /// Positional ones, in order.
    std::vector<Argument> arguments;
    /// Named ones (`KEY=VALUE`).
    std::vector<Argument> fields;
    /// Any further KEY=VALUE is taken too.
    bool free_fields{false};
    /// What further positional ones are; `run` gets all of them as a list under this name. Absent: there are none.
    std::optional<Argument> rest{};
    /// Named and positional arguments by name.
    std::function<Value(Client& client, const Map& arguments, Deadline deadline)> run;
    /// What went wrong according to a result of `run`, in words; empty: nothing. For calls that come to their end and may have failed all the same:
    /// a command has its exit status, a directory files that could not be carried. Absent: every result is a success.
    std::function<std::string(const Value& result)> failure{};
};

struct ModuleInfo;

/// A kind of connection. Plain data and functions; entries of modules are of the same kind as built-in ones.
struct Scheme {
    /// Lower case; the first is the one that documentation leads with: {"rest", "rests"}.
    std::vector<std::string> names;
    /// The page under docs/families: "http".
    std::string family;
    std::string title;
    std::string help;
    std::string example_url;
    /// Absent name: no port.
    std::map<std::string, std::uint16_t> default_ports;
    /// `$NAME` and `${NAME}` in the parts of the URL are replaced from the environment when it is used (file://$DATA/in).
    bool url_environment{false};
    /// The user of a URL is a name, and is shown also where the URL has no password. False: it may be a token then (`https://TOKEN@host`), and is
    /// masked.
    bool user_is_name{false};
    std::vector<OptionSpec> options;
    std::vector<RequiredOptions> required;
    Sharing sharing{Sharing::parallel};
    PingDepth standard_depth{PingDepth::connect};
    std::vector<ClientType> clients;
    std::vector<OperationSpec> operations;
    /// Further operations, which only one connection's own options or its remote end can tell: those of an API document, of introspection. Made for
    /// each question; may block and ask the remote end. Their `run` is for the same client. May be empty.
    /// Throws Error where they cannot be had.
    std::function<std::vector<OperationSpec>(Client& client, Deadline deadline)> operations_of;
    /// For words that name none of `operations`, where a server has methods that no table knows. Its name stands for them in texts (`METHOD`), and
    /// `run` gets the word under it.
    std::optional<OperationSpec> other_operation{};

    /// What the option table cannot say; appends what is wrong (file and connection are filled in by the caller). May be empty. `place_of` finds an
    /// option's place by name, or "url" for the URL.
    std::function<void(const Definition&, const std::function<Place(std::string_view)>& place_of, Diagnostics&)> check;
    /// Makes a client; nothing is connected yet. Throws Error where the options cannot work together.
    std::function<std::shared_ptr<Client>(const ResolvedDefinition&, const Runtime&)> make_client;
    /// What a ping of this depth does. `standard` is handed on as it is: what that means may depend on the definition.
    std::function<PingPlan(const ResolvedDefinition&, PingDepth, const Runtime&)> make_ping;

    /// The module that it came from (core/module.hpp), set when that is loaded; null: built in, or added by the program.
    std::shared_ptr<const ModuleInfo> module;

    QCONN_API const OptionSpec* option(std::string_view name) const noexcept;
};

/// The set of schemes, and of providers of secrets, that are known. A registry holds one; a copy can be extended.
/// @note One thread at a time while it is being filled; const access from many.
class QCONN_API Catalogue {
public:
    Catalogue();
    Catalogue(const Catalogue&);
    Catalogue& operator=(const Catalogue&);
    ~Catalogue();

    /// @throws Error SCHEME-ERROR where one of its names is known already, or the table contradicts itself; nothing is added then
    void add(Scheme scheme);
    /// The same with other defaults: an option of one of these names, of whatever scheme, has that value where a definition does not give it; with
    /// null it has none.
    /// @throws Error SCHEME-ERROR where an option cannot have that value
    Catalogue with_defaults(const Map& defaults) const;
    /// Makes references of its prefix known (core/secret_provider.hpp).
    /// @throws Error SECRET-PROVIDER-ERROR where the prefix is no proper one or has a provider, or `read` is empty
    void add(SecretProvider provider);
    /// Null pointer where it is unknown. Lives as long as any copy of this catalogue.
    const Scheme* find(std::string_view name) const noexcept;
    /// In order of addition, each scheme once.
    std::vector<const Scheme*> schemes() const;
    std::vector<std::string> names() const;

    /// Checks a definition against its scheme: scheme known, URL readable, options known and of their types (converted where the meaning is plain,
    /// with a warning), allowed values, limits, required groups. Values in `definition.options` are replaced by converted ones.
    /// @param parsed  where the positions are to be found: what parse_definitions returned; may be null
    /// @returns whether the connection is valid
    bool check(Definition& definition, Diagnostics& diagnostics, const ParsedDefinitions* parsed = nullptr) const;
    /// Fills in defaults, resolves secrets, properties, environment and URLs of files; may block.
    /// @throws Error SECRET-ERROR with the reference or property that cannot be had, FILE-REFERENCE-ERROR; both of phase secret
    ResolvedDefinition resolve(const Definition& definition, const ResolveSources& sources = {}) const;
    /// For the library's own layers.
    ResolvedDefinition resolve(const Definition& definition, core::SecretReader& reader, const ResolveSources& sources) const;
    const core::SecretTable& secrets() const noexcept;

    /// JSON Schema (draft 2020-12) of a qconn document, as a JSON text for editors and validators.
    std::string json_schema() const;
    /// Markdown table of a scheme's options.
    std::string options_markdown(const Scheme& scheme) const;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

/// The schemes that this build of the library has.
QCONN_API const Catalogue& builtin_catalogue();

}  // namespace qconn
