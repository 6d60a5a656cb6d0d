// SPDX-License-Identifier: Apache-2.0
/// Cookies of a client.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <new>

namespace qconn::http {

/// What all handles of a client share: libcurl keeps and sends them (RFC 6265).
class CookieJar {
public:
    CookieJar() : share_{curl_share_init()} {
        if (!share_) throw std::bad_alloc{};
        curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
        curl_share_setopt(share_.get(), CURLSHOPT_LOCKFUNC, &lock);
        curl_share_setopt(share_.get(), CURLSHOPT_UNLOCKFUNC, &unlock);
        curl_share_setopt(share_.get(), CURLSHOPT_USERDATA, &mutexes_);
    }
    CURLSH* get() const noexcept { return share_.get(); }

private:
    /// Of the share itself, and of the cookies; the one is locked within the other.
    struct Mutexes {
        std::mutex share;
        std::mutex cookies;
        std::mutex& of(curl_lock_data data) noexcept { return data == CURL_LOCK_DATA_COOKIE ? cookies : share; }
    };
    static void lock(CURL*, curl_lock_data data, curl_lock_access, void* mutexes) { static_cast<Mutexes*>(mutexes)->of(data).lock(); }
    static void unlock(CURL*, curl_lock_data data, void* mutexes) { static_cast<Mutexes*>(mutexes)->of(data).unlock(); }

    struct Cleanup {
        void operator()(CURLSH* share) const noexcept { curl_share_cleanup(share); }
    };
    Mutexes mutexes_;
    std::unique_ptr<CURLSH, Cleanup> share_;
};

}  // namespace qconn::http
