// SPDX-License-Identifier: Apache-2.0
/// What is said of few connections at a time, in one pointer while nothing is.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/core/silence.hpp>
#include <qconn/monitor/certificate.hpp>

namespace qconn::monitor {

/// Copies share what there is; a change makes a new one. A value type.
class Remarks {
public:
    /// Of the last failure, or why it is invalid; null: none.
    const Error* error() const noexcept { return all_ && all_->error ? &*all_->error : nullptr; }
    std::shared_ptr<const Silence> silence() const noexcept { return all_ ? all_->silence : nullptr; }
    bool is_silenced() const noexcept { return all_ && all_->silence; }
    /// That it belongs to; zero: none.
    std::uint64_t outage() const noexcept { return all_ ? all_->outage : 0; }
    /// Null: it has shown none.
    std::shared_ptr<const ServerCertificate> certificate() const noexcept { return all_ ? all_->certificate : nullptr; }

    /// Null: none.
    const std::shared_ptr<const std::vector<Credential>>& credentials() const noexcept {
        static const std::shared_ptr<const std::vector<Credential>> none;
        return all_ ? all_->credentials : none;
    }

    void set_error(std::optional<Error> error) {
        if (!error && this->error() == nullptr) return;
        change([&](All& all) { all.error = std::move(error); });
    }
    void set_silence(std::shared_ptr<const Silence> silence) {
        change([&](All& all) { all.silence = std::move(silence); });
    }
    void set_outage(std::uint64_t outage) {
        if (outage != this->outage()) change([&](All& all) { all.outage = outage; });
    }
    void set_certificate(std::shared_ptr<const ServerCertificate> certificate) {
        change([&](All& all) { all.certificate = std::move(certificate); });
    }
    void set_credentials(std::shared_ptr<const std::vector<Credential>> credentials) {
        change([&](All& all) { all.credentials = std::move(credentials); });
    }

private:
    struct All {
        std::optional<Error> error;
        std::shared_ptr<const Silence> silence;
        std::shared_ptr<const ServerCertificate> certificate;
        std::shared_ptr<const std::vector<Credential>> credentials;
        std::uint64_t outage{0};
    };

    template <class Change>
    void change(Change&& change) {
        All all = all_ ? *all_ : All{};
        change(all);
        const bool is_something = all.error || all.silence || all.certificate || all.credentials || all.outage != 0;
        all_ = is_something ? std::make_shared<const All>(std::move(all)) : nullptr;
    }

    std::shared_ptr<const All> all_;
};

}  // namespace qconn::monitor
