// SPDX-License-Identifier: Apache-2.0
#include "core/secret_reader.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <typeinfo>
#include <utility>

#include "base/text.hpp"

namespace qconn::core {

namespace {

constexpr std::chrono::milliseconds k_least_validity{100};
/// Beyond that it is as good as for ever, and the clock can count it.
constexpr std::chrono::milliseconds k_most_validity{std::chrono::hours{24 * 365}};
constexpr std::size_t k_most_entries = 10'000;

std::string type_name(const std::exception& error) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> name{abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status), &std::free};
    return status == 0 && name ? std::string{name.get()} : std::string{"std::exception"};
}

}  // namespace

std::optional<SecretCache::Entry> SecretCache::find(const std::string& key, Clock::time_point not_before) const {
    const std::scoped_lock lock{mutex_};
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.read < not_before || found->second.due <= Clock::now()) return std::nullopt;
    return found->second;
}

void SecretCache::put(const std::string& key, Entry entry) {
    const std::scoped_lock lock{mutex_};
    std::erase_if(entries_, [now = Clock::now()](const auto& one) { return one.second.due <= now; });
    if (entries_.size() >= k_most_entries) return;
    entries_.insert_or_assign(key, std::move(entry));
}

SecretReader::SecretReader(const SecretTable& table, const Definition& definition, SecretLimits limits, SecretCache* cache)
    : table_{table}, connection_{definition.name}, directory_{directory_of(definition)}, limits_{std::move(limits)}, cache_{cache} {}

Secret SecretReader::read(const SecretRef& reference) {
    if (auto finding = table_.finding(reference))
        fail(reference, finding->hint.empty() ? finding->message : finding->message + "; " + finding->hint,
             finding->code == "secret-command" ? Reason::unsupported : Reason::bad_value);
    const SecretProvider& provider = *table_.find(reference.prefix);
    const std::string key = reference.text() + '\0' + directory_;
    auto entry = cache_ ? cache_->find(key, limits_.not_before) : std::nullopt;
    if (!entry) {
        const auto asked = Clock::now();
        SecretAnswer answer = ask(provider, reference);
        if (answer.secret.reveal().size() > k_max_secret_file)
            fail(reference, "it is larger than " + std::to_string(k_max_secret_file) + " bytes", Reason::limit);
        entry.emplace(SecretCache::Entry{std::move(answer.secret), asked, Clock::time_point::max()});
        if (answer.valid_for) {
            entry->due = Clock::now() + std::clamp(*answer.valid_for, k_least_validity, k_most_validity) * 9 / 10;
            if (cache_) cache_->put(key, *entry);
        }
    }
    due_ = std::min(due_, entry->due);
    redaction_.add(entry->secret.reveal(), reference.text());
    return std::move(entry->secret);
}

SecretAnswer SecretReader::ask(const SecretProvider& provider, const SecretRef& reference) const {
    SecretRequest request;
    request.argument = reference.argument;
    request.connection = connection_;
    request.directory = directory_;
    request.deadline = provider.may_block ? earlier(limits_.deadline, Deadline{provider.timeout}) : limits_.deadline;
    request.cancel = limits_.cancelled.get();
    try {
        return provider.read(request);
    } catch (const Error& error) { fail(reference, error.message(), error.reason(), error.retryable()); } catch (const std::exception& error) {
        fail(reference, "its provider threw " + type_name(error), Reason::none);
    } catch (...) { fail(reference, "its provider threw something that is no std::exception", Reason::none); }
}

void SecretReader::fail(const SecretRef& reference, std::string_view why, Reason reason, bool retryable) const {
    std::string message = "looking up the secret " + table_.shown(reference);
    if (!connection_.empty()) message.append(" of connection '").append(connection_).append("'");
    message.append(" failed: ").append(why);
    Error error = make_error(Errc::secret, std::move(message)).with_phase(Phase::secret).with_reason(reason).with_connection(connection_);
    if (retryable) error.with_retryable(true);
    throw error;
}

std::string directory_of(const Definition& definition) {
    const auto slash = definition.file.rfind('/');
    return slash == std::string::npos ? std::string{} : definition.file.substr(0, slash);
}

}  // namespace qconn::core
