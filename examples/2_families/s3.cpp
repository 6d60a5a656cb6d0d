// SPDX-License-Identifier: Apache-2.0
// Objects in S3, or in a store that speaks like it: a file goes up, is read back, and gets a link for somebody without credentials.
//
//     s3 URL REGION FILE          with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment; the URL is that of the bucket
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <qconn/http/sigv4.hpp>
#include <string>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    const char* key_id = std::getenv("AWS_ACCESS_KEY_ID");
    const char* secret = std::getenv("AWS_SECRET_ACCESS_KEY");
    if (argc != 4 || key_id == nullptr || secret == nullptr) {
        std::cerr << "usage: AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… s3 URL REGION FILE\n";
        return 2;
    }
    try {
        qconn::SigV4Options signature;
        signature.key_id = key_id;
        signature.secret = qconn::Secret{secret};
        signature.region = argv[2];
        signature.service = "s3";

        qconn::HttpOptions options;
        options.label = "bucket";
        options.url = argv[1];
        options.authenticator = qconn::sigv4_authenticator(signature);
        options.retry.attempts = 3;  // PUT and GET may be carried out twice
        qconn::HttpClient bucket{options};

        std::ifstream file{argv[3], std::ios::binary};
        const std::string content{std::istreambuf_iterator<char>{file}, {}};
        std::cout << "put: " << bucket.put("reports/7 (März).csv", content, "text/csv", 60s).status << '\n';
        std::cout << "get: " << bucket.get("reports/7 (März).csv", 60s).status << '\n';

        const std::string url = options.url + "/reports/7%20%28M%C3%A4rz%29.csv";
        const std::string link = qconn::SigV4Signer{signature}.presign({.method = "GET", .url = url}, 15min);
        options.authenticator = nullptr;
        qconn::HttpClient anybody{options};
        std::cout << "by its link: " << anybody.get(link, 60s).status << '\n';
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
