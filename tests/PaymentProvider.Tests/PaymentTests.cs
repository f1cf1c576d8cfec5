using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Shop.PaymentProvider.Tests;

/// <summary>The tokens and the rules of capture, void and refund, over HTTP and in the ledger.</summary>
public sealed class PaymentTests(Provider provider) : IClassFixture<Provider>
{
    private readonly Guid _id = Guid.CreateVersion7();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Visa_is_authorized_with_one_entry()
    {
        using var response = await provider.AuthorizeAsync(_id, "tok_visa");
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal($"/v1/payments/{_id}", response.Headers.Location?.OriginalString);
        var payment = await ReadAsync(response);
        Assert.Equal(_id, payment.GetProperty("id").GetGuid());
        Assert.Equal("authorized", payment.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, payment.GetProperty("declineReason").ValueKind);

        var entry = Assert.Single(await provider.LedgerAsync(), entry => entry.PaymentId == _id);
        Assert.Equal(("authorized", 12.50m, "EUR", $"order of {_id}"), (entry.Kind, entry.Amount, entry.Currency, entry.Reference));
        Assert.InRange(entry.At, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
    }

    [Theory]
    [InlineData("tok_declined", "card_declined")]
    [InlineData("tok_of_mars", "unknown_token")]
    public async Task Declined_says_why_and_cannot_be_captured(string token, string reason)
    {
        using var response = await provider.AuthorizeAsync(_id, token);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var payment = await ReadAsync(response);
        Assert.Equal("declined", payment.GetProperty("status").GetString());
        Assert.Equal(reason, payment.GetProperty("declineReason").GetString());

        await AssertAsync(HttpStatusCode.Conflict, "capture");
        await AssertAsync(HttpStatusCode.OK, "void", "declined");
        Assert.Equal(["declined"], await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task Slow_takes_three_seconds_from_the_first_request()
    {
        var watch = Stopwatch.StartNew();
        using var first = await provider.AuthorizeAsync(_id, "tok_slow");
        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.True(watch.Elapsed >= TimeSpan.FromSeconds(2.9), $"After {watch.Elapsed}");

        // a client that gave up and asks again is not kept waiting anew: on a busy machine an answer may take its time, but not every one
        var quickest = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < 10 && quickest >= TimeSpan.FromSeconds(2.9); attempt++)
        {
            watch.Restart();
            using var again = await provider.AuthorizeAsync(_id, "tok_slow");
            Assert.Equal(HttpStatusCode.OK, again.StatusCode);
            quickest = watch.Elapsed < quickest ? watch.Elapsed : quickest;
        }
        Assert.True(quickest < TimeSpan.FromSeconds(2.9), $"After {quickest}");
        Assert.Equal(["authorized"], await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task A_slowed_provider_lets_every_token_wait_until_it_is_told_otherwise()
    {
        using (var slowed = await provider.Client.PutAsJsonAsync("/v1/pace", new { answerDelaySeconds = 2 }, TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.NoContent, slowed.StatusCode);
        try
        {
            var watch = Stopwatch.StartNew();
            using var slow = await provider.AuthorizeAsync(_id, "tok_visa");
            Assert.True(watch.Elapsed >= TimeSpan.FromSeconds(1.9), $"After {watch.Elapsed}");
            using var refused = await provider.Client.PutAsJsonAsync("/v1/pace", new { answerDelaySeconds = 61 }, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }
        finally
        {
            using var normal = await provider.Client.PutAsJsonAsync("/v1/pace", new { answerDelaySeconds = 0 }, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Flaky_fails_twice_for_each_key_and_then_authorizes()
    {
        foreach (var id in new[] { _id, Guid.CreateVersion7() })
        {
            var statuses = new List<HttpStatusCode>();
            for (var i = 0; i < 4; i++)
            {
                using var response = await provider.AuthorizeAsync(id, "tok_flaky");
                statuses.Add(response.StatusCode);
            }

            Assert.Equal(
                [HttpStatusCode.InternalServerError, HttpStatusCode.InternalServerError, HttpStatusCode.Created, HttpStatusCode.OK], statuses);
            Assert.Equal(["authorized"], await provider.LedgerOfAsync(id));
        }
    }

    [Theory]
    [InlineData("capture", "captured")]
    [InlineData("void", "voided")]
    public async Task Silent_never_answers_and_holds_the_charge_all_the_same(string action, string kind)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var request = provider.AuthorizeUntilAsync(_id, "tok_silent", leaving.Token);
        await WaitForEntryAsync();
        await AssertAsync(HttpStatusCode.OK, action, kind);
        Assert.False(request.IsCompleted);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        Assert.Equal(["authorized", kind], await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task Fifty_equal_requests_at_once_make_one_entry()
    {
        var responses = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => provider.AuthorizeAsync(_id, "tok_visa")));
        Assert.Single(responses, response => response.StatusCode == HttpStatusCode.Created);
        Assert.Equal(49, responses.Count(response => response.StatusCode == HttpStatusCode.OK));
        Assert.Equal(["authorized"], await provider.LedgerOfAsync(_id));

        var captures = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => provider.PostAsync(_id, "capture")));
        Assert.All(captures, capture => Assert.Equal(HttpStatusCode.OK, capture.StatusCode));
        Assert.Equal(["authorized", "captured"], await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task Capture_and_void_at_once_one_of_them_wins()
    {
        using var authorized = await provider.AuthorizeAsync(_id, "tok_visa");
        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => provider.PostAsync(_id, i % 2 == 0 ? "capture" : "void")));
        Assert.Equal(10, responses.Count(response => response.StatusCode == HttpStatusCode.OK));
        Assert.Equal(10, responses.Count(response => response.StatusCode == HttpStatusCode.Conflict));
        Assert.Equal(2, (await provider.LedgerOfAsync(_id)).Count);
    }

    [Fact]
    public async Task The_same_key_gives_the_same_answer_even_after_the_capture_and_another_body_422()
    {
        using var first = await provider.AuthorizeAsync(_id, "tok_visa");
        await AssertAsync(HttpStatusCode.OK, "capture", "captured");
        using var again = await provider.AuthorizeAsync(_id, new { reference = $"order of {_id}", token = "tok_visa", currency = "EUR", amount = 12.5m });
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.Equal(await first.Content.ReadAsStringAsync(Cancellation), await again.Content.ReadAsStringAsync(Cancellation));

        using var other = await provider.AuthorizeAsync(_id, "tok_declined");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.StatusCode);
        Assert.Equal(["authorized", "captured"], await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task Captured_is_refunded_and_not_voided()
    {
        using var authorized = await provider.AuthorizeAsync(_id, "tok_visa");
        await AssertAsync(HttpStatusCode.Conflict, "refund");
        await AssertAsync(HttpStatusCode.OK, "capture", "captured");
        await AssertAsync(HttpStatusCode.OK, "capture", "captured");
        await AssertAsync(HttpStatusCode.Conflict, "void");
        await AssertAsync(HttpStatusCode.OK, "refund", "refunded");
        await AssertAsync(HttpStatusCode.OK, "refund", "refunded");
        await AssertAsync(HttpStatusCode.Conflict, "capture");
        Assert.Equal(["authorized", "captured", "refunded"], await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task Voided_is_neither_captured_nor_refunded()
    {
        using var authorized = await provider.AuthorizeAsync(_id, "tok_visa");
        await AssertAsync(HttpStatusCode.OK, "void", "voided");
        await AssertAsync(HttpStatusCode.OK, "void", "voided");
        await AssertAsync(HttpStatusCode.Conflict, "capture");
        await AssertAsync(HttpStatusCode.Conflict, "refund");
        Assert.Equal(["authorized", "voided"], await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task A_void_before_the_authorization_refuses_it()
    {
        await AssertAsync(HttpStatusCode.OK, "void", "voided");
        using var late = await provider.AuthorizeAsync(_id, "tok_visa");
        Assert.Equal(HttpStatusCode.OK, late.StatusCode);
        var payment = await ReadAsync(late);
        Assert.Equal("declined", payment.GetProperty("status").GetString());
        Assert.Equal("voided", payment.GetProperty("declineReason").GetString());
        await AssertAsync(HttpStatusCode.Conflict, "capture");
        Assert.Equal(["voided"], await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task An_unknown_payment_is_404()
    {
        using var found = await provider.GetAsync(_id);
        Assert.Equal(HttpStatusCode.NotFound, found.StatusCode);
        await AssertAsync(HttpStatusCode.NotFound, "capture");
        await AssertAsync(HttpStatusCode.NotFound, "refund");
        Assert.Empty(await provider.LedgerOfAsync(_id));
    }

    [Theory]
    [InlineData("""{"amount":0,"currency":"EUR","token":"tok_visa","reference":"r"}""", "amount")]
    [InlineData("""{"amount":1.001,"currency":"EUR","token":"tok_visa","reference":"r"}""", "amount")]
    [InlineData("""{"amount":1,"currency":"euro","token":"tok_visa","reference":"r"}""", "currency")]
    [InlineData("""{"amount":1,"currency":"EUR","token":"","reference":"r"}""", "token")]
    [InlineData("""{"amount":1,"currency":"EUR","token":"tok_visa"}""", "reference")]
    public async Task A_bad_request_is_400_and_names_the_field(string body, string field)
    {
        using var response = await provider.AuthorizeAsync(_id, JsonSerializer.Deserialize<JsonElement>(body));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(field, (await ReadAsync(response)).GetProperty("errors").EnumerateObject().Single().Name);
        Assert.Empty(await provider.LedgerOfAsync(_id));
    }

    [Fact]
    public async Task A_missing_key_is_400()
    {
        using var response = await provider.Client.PostAsJsonAsync(
            "/v1/payments", new { amount = 1, currency = "EUR", token = "tok_visa", reference = "r" }, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("Idempotency-Key", (await ReadAsync(response)).GetProperty("errors").EnumerateObject().Single().Name);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);

    private async Task AssertAsync(HttpStatusCode expected, string action, string? status = null)
    {
        using var response = await provider.PostAsync(_id, action);
        Assert.Equal(expected, response.StatusCode);
        if (status is null)
            return;
        Assert.Equal(status, (await ReadAsync(response)).GetProperty("status").GetString());
        using var found = await provider.GetAsync(_id);
        Assert.Equal(status, (await ReadAsync(found)).GetProperty("status").GetString());
    }

    private Task WaitForEntryAsync() => Eventually.BecomesTrueAsync(async () => (await provider.LedgerOfAsync(_id)).Count > 0);
}
