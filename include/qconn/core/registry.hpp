// SPDX-License-Identifier: Apache-2.0
/// The set of named connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
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
#include <qconn/base/operation.hpp>
#include <qconn/base/value.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/secret_provider.hpp>
#include <qconn/core/silence.hpp>
#include <qconn/net/ping.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

class Catalogue;
class FileResolver;
class PropertySource;
class Watch;
struct PingPlan;
struct Plan;
struct WatchOptions;

namespace core {
class RegistryImpl;
class Slot;
/// The current client of a slot as a pointer to `type`; see Ref.
QCONN_API std::shared_ptr<void> pin(const std::shared_ptr<Slot>& slot, const std::type_info& type, const char* type_name);
QCONN_API const std::string& slot_name(const std::shared_ptr<Slot>& slot) noexcept;
}  // namespace core

/// A lasting reference to a connection's client. Each `->` uses the client that is current then, for the length of that expression; so a Ref
/// follows reloads and changed secrets. A value type; cheap to copy. Valid also after its Registry is gone (uses then throw CONNECTION-REMOVED).
/// @note Thread-safe for const use.
template <class T>
class Ref {
public:
    /// Holds the client for the length of one expression.
    class Pinned {
    public:
        explicit Pinned(std::shared_ptr<T> client) noexcept : client_{std::move(client)} {}
        T* operator->() const noexcept { return client_.get(); }

    private:
        std::shared_ptr<T> client_;
    };

    Ref() noexcept = default;
    explicit Ref(std::shared_ptr<core::Slot> slot) noexcept : slot_{std::move(slot)} {}

    /// @throws Error CONNECTION-DISABLED, INVALID-CONNECTION, CONNECTION-REMOVED, CONNECTION-TYPE-ERROR, SECRET-ERROR, and what making the client
    /// throws. A connection that is down is handed out all the same.
    Pinned operator->() const { return Pinned{pin()}; }
    /// The current client for a stretch of work; it stays usable, also after a reload, as long as it is held. Asynchronous calls need no pin: a
    /// client that was replaced stays until its calls have ended. Making a client whose secrets come from a provider that may block throws
    /// INVALID-ARGUMENT on an I/O thread.
    std::shared_ptr<T> pin() const { return std::static_pointer_cast<T>(core::pin(slot_, typeid(T), typeid(T).name())); }
    const std::string& name() const noexcept { return core::slot_name(slot_); }
    explicit operator bool() const noexcept { return slot_ != nullptr; }

private:
    std::shared_ptr<core::Slot> slot_;
};

/// Ends a subscription when it goes. After unsubscribe() (or the destructor) has returned the function is not called any more, unless
/// that was called from inside the function itself. A move-only handle; thread-safe.
class QCONN_API Subscription {
public:
    class QCONN_API State {
    public:
        virtual ~State();
        virtual void unsubscribe() noexcept = 0;
    };
    Subscription() noexcept = default;
    explicit Subscription(std::shared_ptr<State> state) noexcept : state_{std::move(state)} {}
    Subscription(Subscription&&) noexcept = default;
    Subscription& operator=(Subscription&& other) noexcept {
        if (this != &other) {
            unsubscribe();
            state_ = std::move(other.state_);
        }
        return *this;
    }
    ~Subscription() { unsubscribe(); }
    void unsubscribe() noexcept {
        if (auto state = std::exchange(state_, nullptr)) state->unsubscribe();
    }

private:
    std::shared_ptr<State> state_;
};

/// Whether a connection can be used, apart from whether its remote end answers.
enum class Validity : std::uint8_t {
    valid,
    stale,    ///< its new version is bad; the former one is in use
    invalid,  ///< never was usable; get() throws
};

/// What is known of a connection without asking anybody. A snapshot; holds no secret.
struct ConnectionInfo {
    std::string name;
    std::string description;
    std::string url;  ///< masked
    std::string scheme;
    std::string type;  ///< name of the client type; empty where the scheme is unknown
    Validity validity{Validity::valid};
    /// Why it is stale or invalid.
    std::string problem;
    bool enabled{true};
    bool monitored{true};
    bool locked{false};
    bool debug_data{false};
    Map tags;
    /// As given plus defaults, sorted by name; sensitive ones masked.
    Map options;
    /// What was set by set_monitoring.
    Map monitoring;
    /// What was set by set_silence, unless its end has passed; it may be still to come. Windows of the definition (option `maintenance`) are not in
    /// it.
    std::optional<Silence> silence;
    /// The latest by acknowledge, whether or not anything is wrong.
    std::optional<Acknowledgement> acknowledged;
    /// What comes from RegistryOptions::secrets_file, and where it has it: "password", "headers.Authorization", "url.password" -> "FILE:LINE".
    Map local_secrets;
    std::string file;
    Place place;
    std::chrono::system_clock::time_point updated;
    /// Former clients that are kept until the calls on them have ended.
    std::size_t retired_clients{0};
};

/// What a load or reload did.
struct LoadReport {
    std::size_t files{0};
    /// Of these, those whose text was read: a reload leaves out files that are known to be what they were.
    std::size_t read{0};
    std::size_t added{0};
    std::size_t updated{0};
    std::size_t removed{0};
    std::size_t unchanged{0};
    std::size_t invalid{0};  ///< of those that are there now
    std::size_t stale{0};
    /// In order of file, then place.
    Diagnostics diagnostics;
    bool ok() const noexcept { return !has_errors(diagnostics); }
};

/// Something that happened to the set. Delivered in order, never two at a time to one listener, with no lock held, on a thread of the runtime's.
struct RegistryChange {
    enum class Kind : std::uint8_t { added, updated, removed, enabled, disabled, became_invalid, became_stale, became_valid, reloaded, settings };
    Kind kind{Kind::added};
    std::string name;  ///< empty for `reloaded`
    /// For `updated`: what pings and clients depend on has changed, not only texts.
    bool reconnects{false};
    /// For became_invalid and became_stale.
    std::string problem;
};

struct RegistryOptions {
    /// Null: the built-in one. Copied.
    const Catalogue* catalogue{nullptr};
    Runtime runtime{};
    DefinitionLimits limits{};
    /// Files of a directory that are read, but for hidden ones (of a leading '.').
    std::string suffix{".qconn.yaml"};
    /// Those that are read in the legacy text form (core/legacy.hpp), beside the others and by the same rules; empty: none.
    std::string legacy_suffix{".qconn"};
    /// The names that `%ifdef` finds in these.
    std::vector<std::string> defines{};
    /// Where operator settings (enabled, monitored, locked, debug data, tags, rules of monitoring, silences, acknowledgements) are kept over restarts
    /// (docs/living-directories.md); empty: nowhere. Read by the constructor; a call that changes one of them replaces it before it returns. What
    /// other programs have changed in it is taken over by reload(), by watch(), and by such a call. What goes wrong with it is logged and costs no
    /// connection.
    std::string state_file{};
    /// Defaults of options, by name, in the place of those that the schemes have (Catalogue::with_defaults).
    Map option_defaults{};
    /// Where credentials are that definitions leave out (core/property_source.hpp); null: only the environment.
    std::shared_ptr<PropertySource> properties{};
    /// A private file with the secrets that definitions leave out (core/secret_overlay.hpp); empty: none. What is wrong with it is a finding of each
    /// load. While it cannot be used, what was read from it before counts on, and connections that need an entry anew fail.
    std::string secrets_file{};
    /// How URLs in options that name a file are read (core/file_resolver.hpp); null: builtin_file_resolver().
    std::shared_ptr<const FileResolver> files{};
    /// Further kinds of secret references, as `${vault:…}`; command_secrets() among them allows `${cmd:…}` (docs/secrets.md).
    std::vector<SecretProvider> secret_providers{};
};

/// What `open` may set for its client alone.
struct OpenOptions {
    /// Options that replace those of the definition.
    Map options;
    /// Joined to the path of the URL; `path` replaces it.
    std::string path_add;
    std::string path;
};

/// Named connections: loaded from directories or added by code, looked up by name.
/// Loading checks everything and then swaps once; look-ups never wait for it. A name that stands twice is an error that names both places; the first
/// (directories as given, then file name, then document) stays. A bad definition concerns only its own connection.
/// A client that is replaced, removed or disabled takes no new calls and stays until those that were begun have ended, asynchronous ones too; of one
/// connection at most 16 such, the calls of older ones are cancelled.
/// @note Thread-safe. Look-ups (`get`, Ref) do not block each other. No ping is ever made by a look-up.
class QCONN_API Registry {
public:
    /// @throws Error SECRET-PROVIDER-ERROR where one of the providers cannot be used
    explicit Registry(RegistryOptions options = {});
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;
    /// Cancels asynchronous calls on its clients but for those that are pinned.
    ~Registry();

    /// Adds a directory or file to what is loaded, and loads it. What the file system refuses is a diagnostic; only a path that is neither throws.
    /// @throws Error LOAD-ERROR where there is no such directory or file
    LoadReport load(const std::string& path);
    LoadReport load(const std::vector<std::string>& paths);
    /// Takes over what has changed. Reads the files that have another size, time or inode than before, and those that had findings or are younger
    /// than 2 s; the report is as if all had been read. Settings made by code (enabled, tags …) survive, also over the absence of the connection's
    /// file (for 10,000 names; those gone for longest are forgotten first); definitions added by code stay. Takes over what
    /// others have changed in the state file, too.
    LoadReport reload();
    /// What a reload would do now (core/plan.hpp); changes nothing. With paths: what it would do were their content in place of what is loaded.
    /// @throws Error LOAD-ERROR where there is no such directory or file
    Plan plan(const std::vector<std::string>& paths = {});
    /// Reloads when files change (core/watch.hpp), until the handle goes.
    Watch watch(const WatchOptions& options);
    Watch watch();

    /// @throws Error CONNECTION-UNKNOWN (with the nearest names), CONNECTION-DISABLED, INVALID-CONNECTION (with the reason), CONNECTION-TYPE-ERROR
    /// naming both types, CONNECTION-EXCLUSIVE
    template <class T>
    Ref<T> get(std::string_view name) {
        return Ref<T>{get_slot(name, typeid(T), typeid(T).name())};
    }
    /// Always a new client, owned by the caller.
    template <class T>
    std::shared_ptr<T> open(std::string_view name, const OpenOptions& options = {}) {
        return std::static_pointer_cast<T>(open_client(name, typeid(T), typeid(T).name(), options));
    }
    /// The shared client without a type: for code that works on any.
    std::shared_ptr<Client> client(std::string_view name);

    /// Its `file` need not be there: relative references count from it. No load touches what was added by code.
    /// @throws Error CONNECTION-ERROR where the name is taken, CONNECTION-DEFINITION-ERROR with the first finding where it is invalid
    void add(Definition definition);
    /// Replaces it; a connection from a file goes back to what the file says when that is neither what this replaces nor the mistake that the file
    /// has now (docs/definitions.md has the whole table). `file` counts only for one that was added by code; empty: the former one.
    /// @throws Error as add; CONNECTION-UNKNOWN; CONNECTION-LOCKED
    void update(Definition definition);
    /// With its settings. One from a file comes back with the next reload; to switch it off for good, disable it.
    /// @throws Error CONNECTION-UNKNOWN, CONNECTION-LOCKED
    void remove(std::string_view name);
    /// False where it was so already. A disabled one gives no client and is not pinged.
    bool enable(std::string_view name);
    bool disable(std::string_view name);
    void set_monitored(std::string_view name, bool yes);
    void set_debug_data(std::string_view name, bool yes);
    /// A locked connection refuses update and remove; enable and disable work.
    void set_locked(std::string_view name, bool yes);
    void set_tags(std::string_view name, Map tags);
    /// Rules of monitoring (core/monitoring.hpp: `{{"ping_interval", 5000}}`) that go before those of the definition. All that are in force: empty
    /// takes back what was set.
    /// @throws Error CONNECTION-UNKNOWN; CONNECTION-DEFINITION-ERROR where one of them is unknown or has no proper value
    void set_monitoring(std::string_view name, Map rules);
    /// Silences the connection, in the place of an earlier silence; nothing: takes that back. Monitors follow at once. It ends by itself at its
    /// `until`; windows of the definition stay as they are.
    /// @throws Error CONNECTION-UNKNOWN; INVALID-ARGUMENT where its end has passed or comes before its beginning
    void set_silence(std::string_view name, std::optional<Silence> silence);
    /// Notes who sees to what is wrong with the connection now: it counts for all ongoing alerts of it that have been raised so far, in every monitor
    /// of this registry and of those that share its state file, also after a restart. The next ones are nobody's again.
    /// @throws Error CONNECTION-UNKNOWN; INVALID-ARGUMENT where `by` is empty
    void acknowledge(std::string_view name, std::string_view by, std::string_view note = {});

    bool contains(std::string_view name) const;
    std::size_t size() const;
    /// Sorted.
    std::vector<std::string> names() const;
    /// @throws Error CONNECTION-UNKNOWN
    ConnectionInfo info(std::string_view name) const;
    /// All of them, sorted by name.
    std::vector<ConnectionInfo> infos() const;
    /// As loaded, with its literal secrets; without what RegistryOptions::secrets_file has put into it.
    Definition definition(std::string_view name) const;
    const Catalogue& catalogue() const noexcept;
    const Runtime& runtime() const noexcept;

    /// What a ping does (net/ping_plan.hpp); secrets are resolved. @throws Error as get
    PingPlan ping_plan(std::string_view name, PingDepth depth = PingDepth::standard) const;
    /// One ping, outside any monitor: it changes no state.
    PingResult ping(std::string_view name, PingDepth depth = PingDepth::standard, Deadline deadline = {}, bool steps = false);

    /// Reads the secrets of a connection anew, whatever their validity. Where they have changed the next use makes a new client, and pings a new
    /// plan. Calls under way end with the former ones.
    /// @returns whether they have changed; false for a connection that has not been used yet, as nothing was made from its secrets
    /// @throws Error CONNECTION-UNKNOWN, and SECRET-ERROR where they cannot be had: the former ones stay in use; INVALID-ARGUMENT on an I/O thread
    bool refresh_secrets(std::string_view name, Deadline deadline = {});
    /// Of all connections, beside each other. Where secrets cannot be had the former ones stay in use, and the log says so (`secret-refresh`).
    /// @returns how many connections have other secrets now
    /// @throws Error INVALID-ARGUMENT on an I/O thread
    std::size_t refresh_all_secrets(Deadline deadline = {});

    /// Clients that were replaced, removed or disabled and are kept until the calls on them have ended, of all connections.
    std::size_t retired_clients() const;

    Subscription subscribe(std::function<void(const RegistryChange&)> listener);

    /// For the library's own layers.
    const std::shared_ptr<core::RegistryImpl>& impl() const noexcept { return impl_; }

private:
    std::shared_ptr<core::Slot> get_slot(std::string_view name, const std::type_info& type, const char* type_name);
    std::shared_ptr<void> open_client(std::string_view name, const std::type_info& type, const char* type_name, const OpenOptions& options);

    std::shared_ptr<core::RegistryImpl> impl_;
};

}  // namespace qconn
