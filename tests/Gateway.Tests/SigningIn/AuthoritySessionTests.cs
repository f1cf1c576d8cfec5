using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Shop.Testing;

namespace Shop.Gateway.Tests.SigningIn;

/// <summary>Sessions with an authority's tokens: begun, refreshed, renewed and ended, at one gateway and at two.</summary>
public sealed class AuthoritySessionTests : AtAuthority
{
    private const string Nobody = """{"name":null,"roles":[],"signInAt":"/api/session/sign-in"}""";

    // shorter than the gateway lets a token get old: every request refreshes
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Who_signs_in_over_a_session_begins_another_and_the_former_is_nobodys()
    {
        Authority.TokenLifetime = Short;
        using (var page = await SignInAsync("ada"))
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var adas = Session;
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(First, adas));

        using (var page = await SignInAsync("olga"))
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(First, adas));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], new[] { await StatusAsync(First, Session), await StatusAsync(First, Session) });
        Assert.Equal("olga", new JsonWebToken(Service.Requests.Last().Authorization["Bearer ".Length..]).Subject);
    }

    [Fact]
    public async Task A_sign_in_that_fails_ends_no_session()
    {
        using var page = await SignInAsync("ada");
        using var failed = await Browser.GetAsync(new Uri(Shop, "/api/session/callback?code=made-up&state=made-up"), Cancellation);
        await Problem.ReadAsync(failed, HttpStatusCode.BadRequest);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(First, Session));
    }

    [Fact]
    public async Task Tokens_are_refreshed_one_at_a_time_for_as_long_as_the_authority_does()
    {
        Authority.TokenLifetime = TimeSpan.FromSeconds(2);
        using var page = await SignInAsync("ada");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using var orders = await Browser.GetAsync(new Uri(Shop, "/api/orders"), Cancellation);
            return orders.StatusCode;
        }));
        Assert.All(answers, status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.True(Service.Requests.Select(request => request.Authorization).Distinct().Count() > 1, "no token was refreshed");

        await Authority.RevokeAllAsync();
        using var afterwards = await Browser.GetAsync(new Uri(Shop, "/api/orders"), Cancellation);
        await Problem.ReadAsync(afterwards, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_authority_that_fails_for_a_while_ends_no_session()
    {
        Authority.TokenLifetime = TimeSpan.FromSeconds(2);
        using var page = await SignInAsync("ada");
        Authority.GivesTokens = false;
        using (var refused = await Browser.GetAsync(new Uri(Shop, "/api/orders"), Cancellation))
            await Problem.ReadAsync(refused, HttpStatusCode.ServiceUnavailable);

        Authority.GivesTokens = true;
        using var afterwards = await Browser.GetAsync(new Uri(Shop, "/api/orders"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, afterwards.StatusCode);
    }

    [Fact]
    public async Task Who_has_signed_out_is_nobody_at_any_gateway_with_a_copy_of_the_cookie_too()
    {
        await using var second = Gateway(Authority.Address);
        using var page = await SignInAsync("ada");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var copy = Session;
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], new[] { await StatusAsync(First, copy), await StatusAsync(second, copy) });

        using var signedOut = await SignOutAsync(Shop);

        Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);
        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized], new[] { await StatusAsync(First, copy), await StatusAsync(second, copy) });
        Assert.Equal(0, await Authority.ValidRefreshTokensAsync());
    }

    [Long]
    [Fact]
    public async Task Who_signs_out_while_the_authority_is_away_is_signed_out_of_the_shop()
    {
        await using var authority = new TestAuthority(endsSessions: true);
        await authority.InitializeAsync();
        await using var gateway = Gateway(authority.Address);
        await using var second = Gateway(authority.Address);
        await authority.AllowAsync(new(gateway.Client.BaseAddress!, "/api/session/callback"));
        using (var page = await SignInAsync("ada", at: gateway, authority: authority))
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        await authority.DisposeAsync();

        // this one has never asked it
        using var signedOut = await SignOutAsync(second.Client.BaseAddress!);

        Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);
        Assert.Equal(Nobody, await Browser.GetStringAsync(new Uri(gateway.Client.BaseAddress!, "/api/session"), Cancellation));
    }

    [Long]
    [Fact]
    public async Task While_the_authority_gives_no_tokens_what_is_for_everybody_is_there_and_signing_out_is_possible()
    {
        Authority.TokenLifetime = Short;
        using var page = await SignInAsync("ada");
        Authority.GivesTokens = false;
        var copy = Session;

        using (var catalog = await Browser.GetAsync(new Uri(Shop, "/api/catalog"), Cancellation))
            Assert.Equal((HttpStatusCode.OK, ""), (catalog.StatusCode, Assert.Single(Service.Requests).Authorization));
        using (var who = await Browser.GetAsync(new Uri(Shop, "/api/session"), Cancellation))
            await Problem.ReadAsync(who, HttpStatusCode.ServiceUnavailable);
        using (var signedOut = await SignOutAsync(Shop))
            Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);

        Assert.Equal(Nobody, await Browser.GetStringAsync(new Uri(Shop, "/api/session"), Cancellation));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(First, copy));
    }

    [Fact]
    public async Task Who_signs_out_leaves_no_refresh_token_behind_however_often_it_was_refreshed()
    {
        Authority.TokenLifetime = Short;
        using var page = await SignInAsync("ada");
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(First, Session));
        using var signedOut = await SignOutAsync(Shop);
        Assert.Equal((HttpStatusCode.NoContent, 0), (signedOut.StatusCode, await Authority.ValidRefreshTokensAsync()));
    }

    [Long]
    [Fact]
    public async Task A_cookie_that_is_renewed_while_tokens_are_refreshed_leaves_the_session_the_new_ones()
    {
        var time = new ShiftedTime();
        await using var gateway = Gateway(Authority.Address, configure: services => services.AddSingleton<TimeProvider>(time));
        await Authority.AllowAsync(new(gateway.Client.BaseAddress!, "/api/session/callback"));
        using (var page = await SignInAsync("ada", at: gateway))
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);

        // beyond the half of a session's life, and beyond a token's
        foreach (var hours in (int[])[5, 10, 15])
        {
            time.Ahead = TimeSpan.FromHours(hours);
            using var orders = await Browser.GetAsync(new Uri(gateway.Client.BaseAddress!, "/api/orders"), Cancellation);
            Assert.Equal((hours, HttpStatusCode.OK), (hours, orders.StatusCode));
            Assert.Contains(orders.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("shop_session=", StringComparison.Ordinal));
        }
        Assert.Equal(4, Service.Requests.Select(request => request.Authorization).Append("").Distinct().Count());
        time.Ahead = TimeSpan.FromHours(24);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(gateway, Session));
    }

    [Fact]
    public async Task Who_leaves_while_a_token_is_refreshed_does_not_take_the_session_along()
    {
        var left = new TaskCompletionSource();
        await using var gateway = Gateway(Authority.Address, configure: services => services.AddSingleton<IStartupFilter>(new Departures(left)));
        await Authority.AllowAsync(new(gateway.Client.BaseAddress!, "/api/session/callback"));
        Authority.TokenLifetime = Short;
        using (var page = await SignInAsync("ada", at: gateway))
            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        TaskCompletionSource used = new(), answer = new();
        Authority.Tokens = async (context, next) =>
        {
            var body = context.Response.Body;
            using var held = new MemoryStream();
            context.Response.Body = held;
            await next(context);
            used.TrySetResult();
            await answer.Task;
            context.Response.Body = body;
            await body.WriteAsync(held.ToArray());
        };
        using var visit = new CancellationTokenSource();
        var asked = Browser.GetAsync(new Uri(gateway.Client.BaseAddress!, "/api/orders"), visit.Token);
        await used.Task.WaitAsync(Eventually.DefaultDeadline, Cancellation);
        await visit.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await left.Task.WaitAsync(Eventually.DefaultDeadline, Cancellation);
        Authority.Tokens = null;
        answer.SetResult();

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(gateway, Session));
    }

    [Long]
    [Fact]
    public async Task A_gateway_whose_token_another_has_used_takes_what_that_one_got()
    {
        await using var second = Gateway(Authority.Address);
        Authority.TokenLifetime = Short;
        using var page = await SignInAsync("ada");
        Authority.TokenLifetime = TimeSpan.FromHours(1);
        TaskCompletionSource asked = new(), refusal = new();
        var requests = 0;
        Authority.Tokens = async (context, next) =>
        {
            if (Interlocked.Increment(ref requests) > 1)
            {
                await next(context);
                return;
            }
            asked.SetResult();
            await refusal.Task;
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
        };
        var late = StatusAsync(First, Session);
        await asked.Task.WaitAsync(Eventually.DefaultDeadline, Cancellation);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(second, Session));
        refusal.SetResult();

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], new[] { await late, await StatusAsync(second, Session) });
        Assert.Equal(2, requests);
    }

    [Fact]
    public async Task A_token_that_comes_after_signing_out_is_given_back()
    {
        Authority.TokenLifetime = Short;
        using var page = await SignInAsync("ada");
        TaskCompletionSource asked = new(), go = new();
        Authority.Tokens = async (context, next) =>
        {
            asked.TrySetResult();
            await go.Task;
            // before the revocation, as an authority may see them
            await next(context);
        };
        var late = StatusAsync(First, Session);
        await asked.Task.WaitAsync(Eventually.DefaultDeadline, Cancellation);
        Authority.Revokes = false;
        using (var signedOut = await SignOutAsync(Shop))
            Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);
        Authority.Revokes = true;
        go.SetResult();

        Assert.Equal((HttpStatusCode.Unauthorized, 0), (await late, await Authority.ValidRefreshTokensAsync()));
    }

    /// <summary>Tells when somebody has left before the answer.</summary>
    private sealed class Departures(TaskCompletionSource left) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, following) =>
            {
                context.RequestAborted.Register(() => left.TrySetResult());
                return following(context);
            });
            next(app);
        };
    }
}
