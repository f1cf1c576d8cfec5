using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.IdentityModel.Tokens;
using Shop.ServiceDefaults.Authentication;

namespace Shop.ServiceDefaults.Tests;

/// <summary>Tokens, health, and the errors that are the service's own.</summary>
public sealed class AnswersTests(TinyService service) : IClassFixture<TinyService>
{
    private static readonly SymmetricSecurityKey Key = new(System.Text.Encoding.UTF8.GetBytes(TinyService.SigningKey));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_token_401_with_the_challenge()
    {
        using var response = await service.Client.GetAsync("/who", Cancellation);
        await Problem.ReadAsync(response, HttpStatusCode.Unauthorized);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public async Task A_route_about_which_nobody_decided_is_closed_to_everyone()
    {
        using var nobody = await service.Client.GetAsync("/undecided", Cancellation);
        await Problem.ReadAsync(nobody, HttpStatusCode.Unauthorized);

        var @operator = DevelopmentTokens.Issue(Key, "olga", ["operator"], DateTimeOffset.UtcNow);
        using var somebody = await service.Client.SendAsync(TinyService.Get("/undecided", @operator), Cancellation);
        await Problem.ReadAsync(somebody, HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task The_name_of_a_token_is_the_shopper_and_its_roles_are_roles()
    {
        var shopper = DevelopmentTokens.Issue(Key, "ada", [], DateTimeOffset.UtcNow);
        var @operator = DevelopmentTokens.Issue(Key, "olga", ["operator"], DateTimeOffset.UtcNow);

        using var who = await service.Client.SendAsync(TinyService.Get("/who", shopper), Cancellation);
        Assert.Equal("ada", await who.Content.ReadAsStringAsync(Cancellation));

        using var refused = await service.Client.SendAsync(TinyService.Get("/ops", shopper), Cancellation);
        await Problem.ReadAsync(refused, HttpStatusCode.Forbidden);

        using var allowed = await service.Client.SendAsync(TinyService.Get("/ops", @operator), Cancellation);
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Fact]
    public async Task A_token_that_is_over_or_signed_by_another_is_401()
    {
        var over = DevelopmentTokens.Issue(Key, "ada", [], DateTimeOffset.UtcNow - DevelopmentTokens.Lifetime - TimeSpan.FromMinutes(1));
        var foreign = DevelopmentTokens.Issue(new SymmetricSecurityKey(new byte[32]), "ada", [], DateTimeOffset.UtcNow);
        foreach (var token in new[] { over, foreign, "nonsense", "" })
        {
            using var response = await service.Client.SendAsync(TinyService.Get("/who", token), Cancellation);
            await Problem.ReadAsync(response, HttpStatusCode.Unauthorized);
        }
    }

    [Theory]
    [InlineData("Production", "a key that is long enough for HMAC-SHA256")]
    [InlineData("Development", "short")]
    [InlineData("Production", null)]
    public void An_unsafe_or_missing_key_stops_the_process(string environment, string? key)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Authentication:SigningKey"] = key });
        Assert.Throws<InvalidOperationException>(() => builder.AddServiceDefaults());
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/html")]
    public async Task Unknown_path_404_wrong_method_405_whatever_is_accepted(string accept)
    {
        foreach (var (path, status) in new[] { ("/nowhere", HttpStatusCode.NotFound), ("/orders", HttpStatusCode.MethodNotAllowed) })
        {
            using var request = TinyService.Get(path);
            request.Headers.Accept.ParseAdd(accept);
            using var response = await service.Client.SendAsync(request, Cancellation);
            await Problem.ReadAsync(response, status);
        }
    }

    [Fact]
    public async Task Validation_names_every_field_with_every_message()
    {
        using var response = await service.Client.GetAsync("/invalid", Cancellation);
        var problem = await Problem.ReadAsync(response, HttpStatusCode.BadRequest);
        Assert.Equal(2, problem.Errors!.Count);
        Assert.Equal(["Must be 1 to 1000.", "Must be whole."], problem.Errors["lines[0].quantity"]);
    }

    [Fact]
    public async Task What_is_asked_too_often_is_a_problem_of_a_type_as_the_others_are()
    {
        using var response = await service.Client.GetAsync("/busy", Cancellation);
        Assert.Equal("Too Many Requests", (await Problem.ReadAsync(response, HttpStatusCode.TooManyRequests)).Title);
    }

    [Fact]
    public async Task A_database_that_is_away_is_503_with_RetryAfter()
    {
        using var response = await service.Client.GetAsync("/database-away", Cancellation);
        await Problem.ReadAsync(response, HttpStatusCode.ServiceUnavailable);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
    }

    [Theory]
    [InlineData("25006")] // read-only, after a failover
    [InlineData("57014")] // the statement was cancelled
    [InlineData("53100")] // the disk is full
    [InlineData("58030")] // an I/O error
    public async Task What_a_database_says_about_itself_is_503_with_RetryAfter(string state)
    {
        using var response = await service.Client.GetAsync($"/database-says/{state}", Cancellation);
        await Problem.ReadAsync(response, HttpStatusCode.ServiceUnavailable);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("/database-says/42P01")]
    [InlineData("/database-says/23505")]
    [InlineData("/defect")]
    [InlineData("/database-defect")]
    public async Task A_defect_is_a_logged_500_that_tells_nothing(string path)
    {
        service.Logs.Errors.Clear();
        using var response = await service.Client.GetAsync(path, Cancellation);
        var problem = await Problem.ReadAsync(response, HttpStatusCode.InternalServerError);
        Assert.Null(problem.Detail);
        Assert.Single(service.Logs.Errors);
    }

    [Fact]
    public async Task A_client_that_goes_away_is_no_error()
    {
        service.Logs.Errors.Clear();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var request = service.Client.GetAsync("/slow", leaving.Token);
        await service.Arrived.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await service.Left.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.Empty(service.Logs.Errors);
    }

    [Fact]
    public async Task Live_is_asked_of_the_process_ready_of_its_checks()
    {
        service.Ready = false;
        using var live = await service.Client.GetAsync("/health/live", Cancellation);
        using var unready = await service.Client.GetAsync("/health/ready", Cancellation);
        service.Ready = true;
        using var ready = await service.Client.GetAsync("/health/ready", Cancellation);

        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, unready.StatusCode);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        using var answer = JsonDocument.Parse(await unready.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("Unhealthy: away", answer.RootElement.GetProperty("checks").GetProperty("database").GetString());
    }
}
