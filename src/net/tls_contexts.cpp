// SPDX-License-Identifier: Apache-2.0
#include "net/tls_contexts.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "net/crl.hpp"
#include "net/runtime_impl.hpp"
#include "net/sha256.hpp"
#include "net/tls_context.hpp"

namespace qconn::net {

namespace {

/// The files that a context is made of.
auto files_of(const TlsOptions& options) {
    return std::array{&options.ca_file, &options.ca_directory, &options.certificate_file, &options.key_file, &options.crl_file};
}

/// What would change if one of the files did.
std::string files_state(const TlsOptions& options) {
    std::string state;
    for (const auto* path : files_of(options)) {
        if (path->empty()) continue;
        struct stat seen {};
        if (::stat(path->c_str(), &seen) != 0) {
            state += "-;";
            continue;
        }
        for (const auto number : {static_cast<long long>(seen.st_dev), static_cast<long long>(seen.st_ino), static_cast<long long>(seen.st_size),
                                  static_cast<long long>(seen.st_mtim.tv_sec), static_cast<long long>(seen.st_mtim.tv_nsec)}) {
            state += std::to_string(number);
            state += ',';
        }
        state += ';';
    }
    return state;
}

/// A digest, as the options hold secrets that are not to lie about as keys of a map.
std::string contents_key(const TlsOptions& o, const std::string& files) {
    Sha256 digest;
    const auto add = [&](std::string_view text) {
        const auto size = static_cast<std::uint64_t>(text.size());
        digest.add({reinterpret_cast<const char*>(&size), sizeof size});
        digest.add(text);
    };
    const std::array<char, 8> flags{static_cast<char>(o.verify),         static_cast<char>(o.waive),    static_cast<char>(o.ca_only),
                                    static_cast<char>(o.minimum),        static_cast<char>(o.maximum),  static_cast<char>(o.server_name.has_value()),
                                    static_cast<char>(o.reuse_sessions), static_cast<char>(o.crl_check)};
    add({flags.data(), flags.size()});
    for (const auto* text : {&o.ca_file, &o.ca_directory, &o.ca_pem, &o.certificate_file, &o.certificate_data, &o.key_file, &o.pinned_sha256,
                             &o.certificate_subject, &o.crl_file, &o.ciphers, &o.cipher_suites, &o.groups, &o.signature_algorithms, &o.key_log_file})
        add(*text);
    add(o.key_data.reveal());
    add(o.key_password.reveal());
    add(o.server_name.value_or(""));
    add(std::to_string(o.crl_timeout.count()));
    add(files);
    return digest.finish();
}

template <class Map>
void drop_oldest(Map& map, std::size_t size) {
    while (map.size() > size)
        map.erase(std::min_element(map.begin(), map.end(), [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

}  // namespace

TlsContexts::TlsContexts() : crls_{std::make_shared<CrlCache>()} {}

std::shared_ptr<const TlsContext> TlsContexts::by_contents(const TlsOptions& options, const std::string& files, const Log& log,
                                                           std::string_view label) {
    if (options.decide) return TlsContext::make(options, log, label, crls_);
    const auto key = contents_key(options, files);
    std::shared_ptr<Made> made;
    {
        const std::scoped_lock lock{mutex_};
        auto& entry = contexts_[key];
        if (!entry.made) entry.made = std::make_shared<Made>();
        entry.used = ++clock_;
        made = entry.made;
        drop_oldest(contexts_, k_size);
    }
    const std::scoped_lock lock{made->mutex};
    if (made->context)
        warn_about(options, log, label);
    else
        made->context = TlsContext::make(options, log, label, crls_);
    return made->context;
}

std::shared_ptr<const TlsContext> TlsContexts::known(const std::shared_ptr<const TlsOptions>& options, const std::string& files) {
    const std::scoped_lock lock{mutex_};
    const auto found = known_.find(options.get());
    if (found == known_.end() || found->second.files != files || found->second.options.lock() != options) return nullptr;
    found->second.used = ++clock_;
    return found->second.context;
}

std::shared_ptr<const TlsContext> TlsContexts::get(const TlsOptions& options, const Log& log, std::string_view label) {
    return by_contents(options, files_state(options), log, label);
}

std::shared_ptr<const TlsContext> TlsContexts::get(const std::shared_ptr<const TlsOptions>& options, const Log& log, std::string_view label) {
    std::string files = files_state(*options);
    if (auto context = known(options, files)) return context;
    auto context = by_contents(*options, files, log, label);
    const std::scoped_lock lock{mutex_};
    known_.insert_or_assign(options.get(), Known{options, std::move(files), context, ++clock_});
    if (known_.size() > 64 * k_size) std::erase_if(known_, [](const auto& entry) { return entry.second.options.expired(); });
    drop_oldest(known_, 64 * k_size);
    return context;
}

std::shared_ptr<const TlsContext> TlsContexts::at_hand(const std::shared_ptr<const TlsOptions>& options) {
    for (const auto* path : files_of(*options))
        if (!path->empty()) return nullptr;
    return known(options, {});
}

TlsContextQuery::TlsContextQuery(RuntimeImpl& runtime, Loop& loop, std::shared_ptr<const TlsOptions> options, std::string label, Callback callback)
    : pool_{runtime.blocking_pool()}, callback_{std::make_shared<Callback>(std::move(callback))} {
    const auto* const key = options.get();
    // Shares nothing with a query, or a runtime, that may have gone by the time the files were read.
    auto work = [loop = loop.shared_from_this(), contexts = runtime.tls_contexts(), log = runtime.log(), options = std::move(options),
                 label = std::move(label), callback = callback_]() mutable {
        Result<std::shared_ptr<const TlsContext>> made{nullptr};
        try {
            made = contexts->get(options, log, label);
        } catch (const Error& e) { made = e; } catch (const std::exception& e) {
            made = make_error(Errc::system, std::string{"loading the TLS options failed: "} + e.what()).with_reason(Reason::local);
        }
        loop->post([callback = std::move(callback), made = std::move(made)]() mutable {
            auto call = std::exchange(*callback, nullptr);
            if (call) call(std::move(made));
        });
    };
    check_ = pool_.post_check(std::move(work), key);
}

TlsContextQuery::~TlsContextQuery() {
    if (!*callback_) return;
    const auto dropped = std::exchange(*callback_, nullptr);
    pool_.give_up(check_);
}

}  // namespace qconn::net
