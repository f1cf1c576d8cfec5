using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Relay;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Messaging;

/// <summary>The operators' side of a service's messaging.</summary>
public static class MessagingEndpoints
{
    /// <summary>
    /// Maps <c>/api/ops/{service}/dead-letters</c> (what could not be handled) and <c>/api/ops/{service}/refused-events</c> (what
    /// could not be published): for operators.
    /// </summary>
    public static RouteGroupBuilder MapMessaging(this IEndpointRouteBuilder routes, string serviceName)
    {
        var operations = routes.MapGroup($"/api/ops/{serviceName}").RequireAuthorization(Policies.Operator);
        operations.MapDeadLetters();
        operations.MapRefusedEvents();
        return operations;
    }
}
