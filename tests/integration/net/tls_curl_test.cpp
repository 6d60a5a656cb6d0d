// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>

#include <array>
#include <memory>

#include "integration/net/tls_suite.hpp"
#include "net/tls_context.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

/// What a client of libcurl has to do, and no more.
class CurlClient {
public:
    explicit CurlClient(const TlsOptions& options)
        : context_{net::TlsContext::make(options, Log{LogLevel::off, {}}, "test")},
          report_{std::make_shared<net::TlsReport>()},
          easy_{curl_easy_init()} {
        curl_easy_setopt(easy_.get(), CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy_.get(), CURLOPT_SSL_VERIFYHOST, 0L);
        curl_easy_setopt(easy_.get(), CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(easy_.get(), CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy_.get(), CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(easy_.get(), CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy_.get(), CURLOPT_TIMEOUT_MS, 20'000L);
        curl_easy_setopt(easy_.get(), CURLOPT_ERRORBUFFER, words_.data());
        curl_easy_setopt(easy_.get(), CURLOPT_SSL_CTX_FUNCTION, &CurlClient::on_context);
        curl_easy_setopt(easy_.get(), CURLOPT_SSL_CTX_DATA, this);
        curl_easy_setopt(easy_.get(), CURLOPT_HEADERFUNCTION, &CurlClient::on_header);
        curl_easy_setopt(easy_.get(), CURLOPT_HEADERDATA, this);
        curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &CurlClient::on_body);
    }

    TlsOutcome get(const std::string& host, std::uint16_t port, const std::string& path) {
        host_ = host;
        outcome_ = {};
        report_->clear();
        words_.fill('\0');
        const auto url = "https://" + host + ":" + std::to_string(port) + path;
        curl_easy_setopt(easy_.get(), CURLOPT_URL, url.c_str());
        const CURLcode code = curl_easy_perform(easy_.get());
        outcome_.ok = code == CURLE_OK;
        if (code == CURLE_HTTP_RETURNED_ERROR) {
            outcome_.reason = Reason::status;
        } else if (code != CURLE_OK) {
            const auto error = report_->refusal().value_or(net::tls_error(words_.data(), "test", host));
            outcome_.reason = error.reason();
            outcome_.message = error.what();
        }
        return outcome_;
    }

private:
    struct Free {
        void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };

    static CURLcode on_context(CURL*, void* context, void* self) {
        auto& client = *static_cast<CurlClient*>(self);
        client.context_->apply(static_cast<SSL_CTX*>(context), client.host_, "test", client.report_);
        return CURLE_OK;
    }
    static std::size_t on_header(char*, std::size_t size, std::size_t count, void* self) {
        auto& client = *static_cast<CurlClient*>(self);
        curl_tlssessioninfo* session = nullptr;
        if (curl_easy_getinfo(client.easy_.get(), CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session != nullptr &&
            session->internals != nullptr) {
            client.outcome_.info = net::describe(static_cast<SSL*>(session->internals));
        }
        return size * count;
    }
    static std::size_t on_body(char*, std::size_t size, std::size_t count, void*) { return size * count; }

    std::shared_ptr<const net::TlsContext> context_;
    std::shared_ptr<net::TlsReport> report_;
    std::array<char, CURL_ERROR_SIZE> words_{};
    std::string host_;
    TlsOutcome outcome_;
    std::unique_ptr<CURL, Free> easy_;
};

}  // namespace

TEST_CASE("TLS options over libcurl", "[net][tls][integration]") {
    check_every_tls_field([](const TlsOptions& options) -> TlsClient {
        return [client = std::make_shared<CurlClient>(options)](const std::string& host, std::uint16_t port, const std::string& path) {
            return client->get(host, port, path);
        };
    });
}
