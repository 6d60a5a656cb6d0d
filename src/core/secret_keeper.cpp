// SPDX-License-Identifier: Apache-2.0
#include "core/secret_keeper.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/result.hpp>
#include <qconn/core/file_resolver.hpp>

#include "core/known_files.hpp"
#include "core/secret_overlay.hpp"
#include "core/slot_pack.hpp"

namespace qconn::core {

namespace {

/// A provider that keeps to its deadline says better what was wrong than whoever waits for it.
constexpr std::chrono::milliseconds k_grace{500};

/// Beside the prefixes of providers, which hold no blanks.
constexpr std::string_view k_properties = "the properties";
constexpr std::string_view k_files = "files by URL";
constexpr std::size_t k_threads = 4;
constexpr std::chrono::milliseconds k_property_time{10'000};

/// Different in every process, so that a fingerprint tells nothing about a secret elsewhere.
std::uint64_t process_salt() {
    static const std::uint64_t salt = [] {
        std::random_device device;
        return (std::uint64_t{device()} << 32) | device();
    }();
    return salt;
}

std::uint64_t fingerprint_of(const ResolvedDefinition& resolved) {
    std::string bytes = std::to_string(process_salt());
    bytes += resolved.url.reveal();
    bytes += '\0';
    for (const auto& [name, value] : resolved.options) {
        bytes += name;
        bytes += '\0';
        pack_value(bytes, value);
    }
    const std::uint64_t fingerprint = hash_bytes(bytes);
    wipe(bytes);
    return fingerprint;
}

Error failed(const Definition& definition, const std::string& why, Reason reason) {
    return make_error(Errc::secret, "looking up the secrets of connection '" + definition.name + "' failed: " + why)
        .with_phase(Phase::secret)
        .with_reason(reason)
        .with_retryable(true)
        .with_connection(definition.name);
}

}  // namespace

std::vector<SecretRef> references_of(const Definition& definition) {
    std::vector<SecretRef> references;
    collect_references(std::string_view{definition.url}, references);
    for (const auto& [name, value] : definition.options) collect_references(value, references);
    return references;
}

SecretKeeper::SecretKeeper(const Catalogue& catalogue, Runtime runtime, std::shared_ptr<PropertySource> properties,
                           std::shared_ptr<const FileResolver> files, std::string overlay)
    : catalogue_{catalogue},
      runtime_{std::move(runtime)},
      properties_{std::move(properties)},
      files_{std::move(files)},
      overlay_{std::move(overlay)} {
    for (const auto& provider : catalogue_.secrets().providers()) {
        if (!provider->may_block || !provider->disabled.empty()) continue;
        pools_.emplace(provider->prefix, std::make_shared<net::BlockingPool>("qconn-secret", provider->concurrency, runtime_.log(), this));
    }
    for (const std::string_view name : {k_properties, k_files})
        pools_.emplace(name, std::make_shared<net::BlockingPool>("qconn-secret", k_threads, runtime_.log(), this));
}

SecretKeeper::~SecretKeeper() {
    for (const auto& [prefix, pool] : pools_) pool->discard();
}

bool SecretKeeper::may_read_elsewhere(const Scheme* scheme) const noexcept {
    return scheme && std::any_of(scheme->options.begin(), scheme->options.end(),
                                 [&](const OptionSpec& spec) { return (properties_ && spec.property) || !spec.content.empty(); });
}

std::vector<SecretKeeper::Source> SecretKeeper::blocking(const Definition& definition) const {
    std::vector<Source> found;
    for (const SecretRef& reference : references_of(definition)) {
        if (!pools_.contains(reference.prefix)) continue;
        const SecretProvider& provider = *catalogue_.secrets().find(reference.prefix);
        found.push_back({provider.prefix, provider.timeout});
    }
    const Scheme* const scheme = catalogue_.find(definition.scheme());
    if (!may_read_elsewhere(scheme)) return found;
    for (const OptionSpec& spec : scheme->options) {
        const Value* const given = definition.options.find(spec.name);
        if (properties_ && spec.property && !given) found.push_back({k_properties, k_property_time});
        const Value& value = given ? *given : spec.fallback;
        if (spec.content.empty() || !value.is_string()) continue;
        if (const std::string kind = reference_scheme(value.as_string()); !kind.empty() && kind != "file")
            found.push_back({k_files, files_ ? files_->limits().timeout : FileLimits{}.timeout});
    }
    return found;
}

std::shared_ptr<net::BlockingPool> SecretKeeper::pool_for(const Definition& definition) const {
    const auto sources = blocking(definition);
    return sources.empty() ? nullptr : pools_.at(sources.front().name);
}

std::chrono::milliseconds SecretKeeper::longest(const Definition& definition) const {
    std::chrono::milliseconds longest{0};
    for (const Source& source : blocking(definition)) longest = std::max(longest, source.timeout);
    return longest + k_grace;
}

SecretKeeper::Resolution SecretKeeper::resolve(const Definition& definition, SecretLimits limits) {
    const auto pool = pool_for(definition);
    if (!pool) return resolve_here(definition, limits);
    const auto time = longest(definition);
    const Deadline until = earlier(limits.deadline, Deadline{time});
    limits.deadline = earlier(limits.deadline, Deadline{time - k_grace});
    if (net::thread_owner() == this) return resolve_here(definition, limits);
    (void)runtime_.impl();  // a fork is found here: the threads that would answer are in the parent
    if (runtime_.on_io_thread()) {
        throw make_error(Errc::invalid_argument,
                         "the secrets of \"" + definition.name +
                             "\" were asked for on an I/O thread, which would stop all that runs there until there is an answer; use the connection "
                             "for the first time on another thread")
            .with_phase(Phase::secret)
            .with_connection(definition.name);
    }
    return resolve_there(*pool, definition, std::move(limits), until);
}

SecretKeeper::Resolution SecretKeeper::resolve_here(const Definition& definition, const SecretLimits& limits) {
    Resolution resolution;
    resolution.has_references = !references_of(definition).empty();
    resolution.files = files_of(definition);  // before they are read: a change between is seen later then
    SecretReader reader{catalogue_.secrets(), definition, limits, &cache_};
    try {
        resolution.definition = catalogue_.resolve(definition, reader, {properties_.get(), files_.get()});
    } catch (const Error& error) {
        if (!error.connection().empty()) throw;
        throw Error{error}.with_connection(definition.name);
    }
    resolution.fingerprint = fingerprint_of(resolution.definition);
    resolution.due = reader.due();
    return resolution;
}

SecretKeeper::Resolution SecretKeeper::resolve_there(net::BlockingPool& pool, const Definition& definition, SecretLimits limits, Deadline until) {
    struct Wait {
        std::mutex mutex;
        std::condition_variable ended;
        std::optional<Result<Resolution>> result;  // guarded by mutex
    };
    const auto wait = std::make_shared<Wait>();
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    limits.cancelled = cancelled;
    auto work = [self = shared_from_this(), wait, definition = Definition{definition}, limits]() mutable {
        std::optional<Result<Resolution>> result;
        try {
            result.emplace(self->resolve_here(definition, limits));
        } catch (const Error& error) { result.emplace(error); } catch (const std::exception& error) {
            result.emplace(failed(definition, error.what(), Reason::local));
        }
        wipe(definition.url);
        const std::scoped_lock lock{wait->mutex};
        wait->result = std::move(result);
        wait->ended.notify_all();
    };
    std::shared_ptr<net::BlockingPool::Check> check;
    try {
        check = pool.post_check(std::move(work));
    } catch (const Error& error) { throw failed(definition, std::string{error.message()}, error.reason()); }
    std::unique_lock lock{wait->mutex};
    wait->ended.wait_until(lock, until.when(), [&] { return wait->result.has_value(); });
    if (wait->result) return std::move(*wait->result).value();
    lock.unlock();
    *cancelled = true;
    pool.give_up(check);
    throw failed(definition, "there was no answer in time; see what the provider of its references, its properties or its files by URL waits for",
                 Reason::timeout);
}

std::vector<std::string> SecretKeeper::files_in(const Definition& definition) const {
    std::vector<std::string> files;
    for (const SecretRef& reference : references_of(definition)) {
        if (reference.prefix == "file") files.push_back(secret_path(reference.argument, directory_of(definition)));
        if (reference.prefix == k_overlay_prefix && std::find(files.begin(), files.end(), overlay_) == files.end()) files.push_back(overlay_);
    }
    return files;
}

std::uint64_t SecretKeeper::files_of(const Definition& definition) const {
    std::string seen;
    bool settled = true;
    for (const std::string& file : files_in(definition)) {
        struct stat status {};
        (seen += file) += '\0';
        if (::stat(file.c_str(), &status) != 0) continue;
        const FileStamp stamp = FileStamp::of(status);
        settled = settled && stamp.is_settled();
        for (const auto number :
             {static_cast<std::int64_t>(stamp.device), static_cast<std::int64_t>(stamp.inode), stamp.size, stamp.modified, stamp.changed})
            (seen += ' ') += std::to_string(number);
    }
    if (seen.empty()) return k_no_files;
    return settled ? std::max<std::uint64_t>(hash_bytes(seen), k_no_files + 1) : 0;
}

}  // namespace qconn::core
